import Domain
import Files
import Foundation
import TestSupport
import Testing
import Workspace

/// As an ordinary user: root opens everything.
@Suite(
    "What a command shuts is listed, judged, shown and applied by an ordinary user all the same",
    .enabled(if: geteuid() == 0, "only root can become an ordinary user")
)
struct ShutDirectoryTests {
    struct Unexpected: Error { let text: String }

    /// A bench that belongs to an ordinary user, whom the child processes below become.
    private func bench() throws -> (Bench, uid: UInt32) {
        let bench = try Bench()
        try Bench.shell("mkdir -p shut/in kept; echo a >shut/in/f; echo b >kept/g", in: bench.project)
        let identity = try #require(TestIdentity.available.last)
        try identity.own(bench.root)
        usleep(20_000)
        return (bench, identity.uid)
    }

    /// What an overlay would hold after the script; it runs in the upper layer.
    private static func changed(_ plan: WorkspacePlan, _ script: String) throws -> ChangeSet {
        try Bench.shell(script, in: plan.workspaceTrees[0].changed)
        return try plan.listChanges(limits: ResourceLimits())
    }

    @Test(arguments: ["000", "300", "200", "500", "100"])
    func modes(_ mode: String) async throws {
        let (bench, uid) = try bench()
        await #expect(processExitsWith: .success) {
            [root = bench.root as String, uid = uid as UInt32, mode = mode as String] in
            try TestIdentity.become(uid)
            let bench = try Bench(existing: root)
            let plan = try bench.prepare()
            let script = """
                mkdir -p d/e/f shut/in kept; echo x >d/e/x; echo y >d/e/f/y; chmod 000 d/e/x; echo z >shut/in/z
                chmod \(mode) d/e/f; chmod \(mode) d/e; chmod \(mode) d; chmod \(mode) shut/in; chmod \(mode) shut
                """
            let set = try Self.changed(plan, script)
            let expected = [
                "created directory d", "created directory d/e", "created directory d/e/f", "created file d/e/f/y",
                "created file d/e/x", "mode directory shut", "mode directory shut/in", "created file shut/in/z",
            ]
            guard set.lines == expected else { throw Unexpected(text: "\(set.lines)") }
            let report = try CommitGate(plan, limits: ResourceLimits()).judge(set, inspector: NoInspector())
            guard report.conflicts.isEmpty, report.verdict <= .note else { throw Unexpected(text: "\(report)") }
            var lines: [String] = []
            try UnifiedDiff(plan) { lines.append($0) }.show(set)
            guard lines.contains("+y"), lines.contains("+x") else { throw Unexpected(text: "\(lines)") }
            guard try plan.listChanges(limits: ResourceLimits()) == set else { throw Unexpected(text: "modes changed") }
            try bench.perform(report.changeSet, plan)
            guard try bench.recover() == .applied else { throw Unexpected(text: "not applied") }
        }
        let lines = try bench.picture().map { $0.replacingOccurrences(of: " false", with: "") }
        let bits = String(try #require(Int(mode, radix: 8)), radix: 8)
        #expect(
            lines == [
                "d directory \(bits)", "d/e directory \(bits)", "d/e/f directory \(bits)", "d/e/f/y file 644 y\\x0a",
                "d/e/x file 0 x\\x0a", "kept directory 755", "kept/g file 644 b\\x0a", "shut directory \(bits)",
                "shut/in directory \(bits)", "shut/in/f file 644 a\\x0a", "shut/in/z file 644 z\\x0a",
            ]
        )
    }

    @Test func theProjectItselfIsNeverShut() async throws {
        let (bench, uid) = try bench()
        await #expect(processExitsWith: .success) { [root = bench.root as String, uid = uid as UInt32] in
            try TestIdentity.become(uid)
            let bench = try Bench(existing: root)
            let plan = try bench.prepare()
            let set = try Self.changed(plan, "echo x >x; chmod 000 .")
            guard set.lines == ["mode directory .", "created file x"] else { throw Unexpected(text: "\(set.lines)") }
            let report = try CommitGate(plan, limits: ResourceLimits()).judge(set, inspector: NoInspector())
            guard report.findings.contains(where: { $0.level == .deny && $0.path.isRoot }) else {
                throw Unexpected(text: "\(report.findings)")
            }
        }
    }

    @Test("a kill at any point leaves all or nothing")
    func killed() async throws {
        for number in 0..<15 {
            let (bench, uid) = try bench()
            // The first two points come before the intent.
            let isBefore = number < 2
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [root = bench.root as String, uid = uid as UInt32, number = number as Int] in
                try TestIdentity.become(uid)
                let bench = try Bench(existing: root)
                let plan = try bench.prepare()
                let script = """
                    mkdir -p d/e shut/in; echo x >d/e/x; chmod 000 d/e d
                    echo z >shut/in/z; chmod 000 shut/in; chmod 0 shut
                    """
                let set = try Self.changed(plan, script)
                var left = number
                try bench.perform(set, plan) { _ in
                    if left == 0 { kill(getpid(), SIGKILL) }
                    left -= 1
                }
            }
            let outcome = try bench.picture().count
            await #expect(processExitsWith: .success, "killed at \(number) with \(outcome) entries") {
                [root = bench.root as String, uid = uid as UInt32, isBefore = isBefore as Bool] in
                try TestIdentity.become(uid)
                let recovery = try Bench(existing: root).recover()
                let isRight = isBefore ? recovery == .nothing : recovery == .finished || recovery == .applied
                guard isRight else { throw Unexpected(text: "\(recovery)") }
            }
            let picture = try bench.picture().map { $0.split(separator: " ")[0...2].joined(separator: " ") }
            let after = [
                "d directory 0", "d/e directory 0", "d/e/x file 644", "kept directory 755", "kept/g file 644",
                "shut directory 0", "shut/in directory 0", "shut/in/f file 644", "shut/in/z file 644",
            ]
            #expect(isBefore ? picture.count == 5 : picture == after, "killed at \(number)")
        }
    }
}
