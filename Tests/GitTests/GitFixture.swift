import Domain
import Foundation
import Git
import TestSupport
import Testing
import Workspace

/// Real git in a directory of its own, with a home of its own.
final class GitFixture {
    let directory: TemporaryDirectory
    /// The user's tree.
    var lower: String { directory.path + "/lower" }
    private var after: String { directory.path + "/after" }
    private var upper: String { directory.path + "/upper" }

    init(format: String = "sha1", empty: Bool = false) throws {
        directory = try TemporaryDirectory("bailey-git")
        for name in ["lower", "home"] { try make(directory.path + "/" + name) }
        if empty { return }
        try git(["init", "-q", "-b", "main", "--object-format=\(format)"], in: lower)
        try write("one\n", to: "one.txt")
        try write("two\n", to: "sub/two.txt")
        try git(["add", "-A"], in: lower)
        try git(["commit", "-q", "-m", "first"], in: lower)
    }

    func make(_ path: String) throws {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    /// Writes into the user's tree.
    func write(_ text: String, to name: String) throws { try directory.write(text, to: "lower/" + name) }

    @discardableResult
    func git(_ arguments: [String], in path: String, input: String? = nil, allowsFailure: Bool = false) throws -> String
    {
        try run(["git"] + arguments, in: path, input: input, allowsFailure: allowsFailure)
    }

    @discardableResult
    func run(_ command: [String], in path: String, input: String? = nil, allowsFailure: Bool = false) throws -> String {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        process.currentDirectoryURL = URL(fileURLWithPath: path)
        process.environment = [
            "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": directory.path + "/home",
            "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.com",
            "GIT_EDITOR": "true",
            "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.com", "LC_ALL": "C",
        ]
        let output = Pipe()
        let errors = directory.path + "/stderr"
        #expect(FileManager.default.createFile(atPath: errors, contents: nil))
        process.standardOutput = output
        process.standardError = FileHandle(forWritingAtPath: errors)
        let inputFile = directory.path + "/stdin"
        try Data((input ?? "").utf8).write(to: URL(fileURLWithPath: inputFile))
        process.standardInput = FileHandle(forReadingAtPath: inputFile)
        try process.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        if process.terminationStatus != 0, !allowsFailure {
            let text = (try? String(contentsOfFile: errors, encoding: .utf8)) ?? ""
            throw Failure(text: "\(command): \(text)")
        }
        return String(decoding: data, as: UTF8.self)
    }

    struct Failure: Error { let text: String }

    /// What an inspection of a run's changes says, by path.
    struct Result {
        let changes: [Change]
        let inspections: [String: Inspection]

        func denied(_ path: String) -> RuleID? {
            if case .finding(let finding) = inspections[path], finding.level == .deny { return finding.rule }
            return nil
        }

        /// Paths that hold the set.
        var held: [String] {
            inspections.filter { if case .finding(let finding) = $1 { finding.level >= .ask } else { false } }.keys
                .sorted()
        }

        var ordinary: [String] { inspections.filter { if case .ordinary = $1 { true } else { false } }.keys.sorted() }
        var dropped: [String] { inspections.filter { if case .dropped = $1 { true } else { false } }.keys.sorted() }
        var unchanged: [String] { inspections.filter { if case .unchanged = $1 { true } else { false } }.keys.sorted() }
        var notMine: [String] { inspections.filter { if case .notMine = $1 { true } else { false } }.keys.sorted() }
    }

    /// Lets `body` change a copy of the user's tree and inspects what came of it, as an overlay's upper would hold it.
    func inspect(
        verifiesPacks: Bool = true,
        userConfigurations: [String] = [],
        _ body: (String) throws -> Void
    ) throws -> Result {
        for path in [after, upper] { try? FileManager.default.removeItem(atPath: path) }
        try run(["cp", "-a", lower, after], in: directory.path)
        try body(after)
        let changes = try TreeDiff(before: lower, after: after, upper: upper).changes()
        let verifier: PackVerifier = { pack in
            let process = Process()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
            process.arguments = ["git", "verify-pack", pack.directory + "/" + pack.name + ".idx"]
            process.standardError = FileHandle.nullDevice
            try process.run()
            process.waitUntilExit()
            return process.terminationStatus == 0
        }
        let inspector = GitInspector(
            verifyPack: verifiesPacks ? verifier : nil,
            userConfigurations: userConfigurations.map { Array($0.utf8) }
        )
        let tree = WorkspaceTree(index: 0, lower: lower, changed: upper, isOverlay: true)
        let answers = try inspector.inspect(changes, trees: [tree])
        #expect(answers.count == changes.count)
        let named = zip(changes, answers).map { (String(decoding: $0.path.bytes, as: UTF8.self), $1) }
        return Result(changes: changes, inspections: Dictionary(named, uniquingKeysWith: { $1 }))
    }
}
