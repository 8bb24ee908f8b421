import Domain
import Foundation
import Git
import TestSupport
import Testing
import Workspace

/// As an ordinary user: root opens everything.
@Suite(
    "what a command shuts is looked into, what the user shut holds the change",
    .enabled(if: geteuid() == 0, "only root can become an ordinary user")
)
struct ShutGitTests {
    struct Unexpected: Error { let text: String }

    private static func inspect(_ root: String, _ names: [(String, FileKind)]) throws -> [Inspection] {
        let tree = WorkspaceTree(index: 0, lower: root + "/lower", changed: root + "/upper", isOverlay: true)
        let changes = try names.map { name, kind in
            guard let path = RelativePath(name) else { throw Unexpected(text: name) }
            return Change(path: path, kind: .created, file: kind, size: 1, mode: 0o644)
        }
        return try GitInspector(verifyPack: nil).inspect(changes, trees: [tree])
    }

    private func fixture(_ script: String) throws -> (GitFixture, uid: UInt32) {
        let fixture = try GitFixture()
        try fixture.make(fixture.directory.path + "/upper")
        try fixture.run(["sh", "-e", "-c", script], in: fixture.directory.path)
        let identity = try #require(TestIdentity.available.last)
        try identity.own(fixture.directory.path)
        return (fixture, identity.uid)
    }

    @Test(arguments: ["000", "300", "200"])
    func command(_ mode: String) async throws {
        let script = """
            cd upper; mkdir -p d/e repo/objects repo/refs; echo x > d/e/x; echo x > repo/HEAD; echo x > repo/config
            chmod \(mode) d/e; chmod \(mode) d; chmod \(mode) repo
            """
        let (fixture, uid) = try fixture(script)
        await #expect(processExitsWith: .success) { [root = fixture.directory.path as String, uid = uid as UInt32] in
            try TestIdentity.become(uid)
            let answers = try Self.inspect(
                root,
                [
                    ("d", .directory), ("d/e", .directory), ("d/e/x", .file), ("repo", .directory),
                    ("repo/config", .file),
                ]
            )
            for answer in answers[..<3] { guard case .notMine = answer else { throw Unexpected(text: "\(answers)") } }
            for answer in answers[3...] {
                guard case .finding(let finding) = answer, finding.rule == RuleID("git-new-directory") else {
                    throw Unexpected(text: "\(answers)")
                }
            }
        }
        let status = try FileManager.default.attributesOfItem(atPath: fixture.directory.path + "/upper/d")
        #expect(
            (status[.posixPermissions] as? Int).map { String($0, radix: 8) }
                == String(Int(mode, radix: 8) ?? -1, radix: 8)
        )
        try fixture.run(["chmod", "-R", "u+rwx", fixture.directory.path], in: "/")
    }

    @Test func user() async throws {
        let script = "mkdir -p lower/d upper/d; echo x > upper/d/x; echo x > upper/y; chmod 000 lower/d"
        let (fixture, uid) = try fixture(script)
        await #expect(processExitsWith: .success) { [root = fixture.directory.path as String, uid = uid as UInt32] in
            try TestIdentity.become(uid)
            let answers = try Self.inspect(root, [("d/x", .file), ("y", .file)])
            guard case .finding(let finding) = answers[0], finding.rule == RuleID("git-unreadable"),
                finding.level == .deny, case .notMine = answers[1]
            else { throw Unexpected(text: "\(answers)") }
        }
    }
}
