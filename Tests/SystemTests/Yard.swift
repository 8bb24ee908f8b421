import Foundation
import TestSupport

/// A place of one test: a home, a project, a state and a configuration directory of its own, and the built `bailey`.
///
/// It lies in `/var/tmp`, which no sandbox shows, so that a private `/tmp` hides none of it.
final class Yard {
    let identity: TestIdentity
    let path: String
    let program: String
    private let base: TemporaryDirectory

    var home: String { path + "/home" }
    var project: String { path + "/project" }
    var state: String { path + "/state" }
    var configuration: String { path + "/config" }
    var bailey: String { project + "/.bailey" }

    /// - Parameter copies: a copy of the executables inside the place, which an ordinary user can reach in any case.
    init(_ identity: TestIdentity = TestIdentity.available[0], copies: Bool = false) throws {
        self.identity = identity
        base = try TemporaryDirectory("bailey-system", in: "/var/tmp")
        path = base.path
        for directory in ["bin", "home", "project", "state", "config/bailey"] {
            try FileManager.default.createDirectory(atPath: path + "/" + directory, withIntermediateDirectories: true)
        }
        let isCopied = copies || identity != TestIdentity.available[0]
        program = isCopied ? try BuiltProducts.install(in: path + "/bin") : try BuiltProducts.bailey()
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        try identity.own(path)
    }

    /// Some trees are beyond FileManager: too deep, or closed by mode.
    deinit { _ = try? ProcessRunner.run("/bin/rm", arguments: ["-rf", path]) }

    var environment: [String: String] {
        [
            "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": home, "XDG_STATE_HOME": state,
            "XDG_CONFIG_HOME": configuration, "LANG": "C.UTF-8",
        ]
    }

    /// Runs `bailey`.
    @discardableResult
    func bailey(
        _ arguments: [String],
        in directory: String? = nil,
        with extra: [String: String] = [:],
        input: String? = nil,
        timeoutSeconds: Double = 120
    ) throws -> ProcessResult {
        try identity.run(
            program,
            arguments: arguments,
            environment: environment.merging(extra) { $1 },
            currentDirectory: directory ?? project,
            standardInput: input.map { Data($0.utf8) },
            timeoutSeconds: timeoutSeconds
        )
    }

    /// Runs a shell script behind the wall.
    @discardableResult
    func inside(
        _ script: String,
        _ options: String...,
        in directory: String? = nil,
        with extra: [String: String] = [:],
        input: String? = nil
    ) throws -> ProcessResult {
        let arguments = ["run"] + options + ["--", "/bin/sh", "-c", script]
        return try bailey(arguments, in: directory, with: extra, input: input)
    }

    /// Runs a shell script as the same account, in the project, without a wall. `$BAILEY` is the program.
    @discardableResult
    func outside(
        _ script: String,
        in directory: String? = nil,
        input: String? = nil,
        timeoutSeconds: Double = 120
    ) throws -> ProcessResult {
        try identity.run(
            "/bin/bash",
            arguments: ["-c", script],
            environment: environment.merging(["BAILEY": program, "YARD": path]) { $1 },
            currentDirectory: directory ?? project,
            standardInput: input.map { Data($0.utf8) },
            timeoutSeconds: timeoutSeconds
        )
    }

    /// Runs a shell script as the account of the tests, in a mount namespace of its own.
    func privately(_ script: String) throws -> ProcessResult {
        try ProcessRunner.run(
            "/usr/bin/unshare",
            arguments: ["-m", "/bin/bash", "-c", script],
            environment: environment.merging(["BAILEY": program, "YARD": path]) { $1 },
            currentDirectory: project
        )
    }

    func write(_ text: String, to name: String) throws {
        try base.write(text, to: name)
        try identity.own(path + "/" + name)
    }

    func read(_ name: String) throws -> String { try base.read(name) }

    func exists(_ name: String) -> Bool {
        (try? FileManager.default.attributesOfItem(atPath: path + "/" + name)) != nil
    }

    /// Ids of the project's runs, oldest first.
    func runs() throws -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: bailey + "/runs")) ?? []
        return names.filter { $0.hasPrefix("r_") }.sorted()
    }

    func lastRun() throws -> String { try runs().last ?? "" }

    /// The types of a run's events, in order.
    func events(_ run: String? = nil) throws -> [String] {
        let text = try read("project/.bailey/runs/\(run ?? lastRun())/journal/journal.jsonl")
        return try text.split(separator: "\n").map { try Answer(Data($0.utf8)).text("type") ?? "" }
    }

    /// The state of a run as `runs show` tells it.
    func state(of run: String? = nil) throws -> String {
        let result = try bailey(["runs", "show", "--json", try run ?? lastRun()])
        return try result.answer.text("state") ?? ""
    }

    /// Everything in the project but Bailey's own: name, kind, mode, size, link target, content.
    func picture(_ directory: String? = nil) throws -> String {
        let script = """
            find . -path ./.bailey -prune -o -path ./.git -prune -o -printf '%P %y %m %l\\n' | LC_ALL=C sort
            find . -path ./.bailey -prune -o -path ./.git -prune -o -type f -exec sha256sum {} + | LC_ALL=C sort
            """
        return try outside(script, in: directory).stdout
    }

    func makeRepository(_ files: [String: String] = ["a.txt": "one\n"]) throws {
        for (name, text) in files { try write(text, to: "project/" + name) }
        let result = try outside(
            """
            git init -q -b main . && git config user.name tester && git config user.email tester@example.test &&
            git add -A && git commit -qm first
            """
        )
        guard result.status == 0 else { throw YardError(result.summary) }
    }
}

/// A test's surroundings could not be made.
struct YardError: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}

extension ProcessResult {
    /// Standard output as one JSON object.
    var answer: Answer { get throws { try Answer(Data(standardOutput)) } }
}
