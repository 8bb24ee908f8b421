import Domain
import Foundation
import Testing
import Workspace

/// Answers for named paths.
private struct TableInspector: ChangeInspector {
    let answers: [String: Inspection]
    func inspect(_ changes: [Change], trees: [WorkspaceTree]) throws -> [Inspection] {
        changes.map { answers[$0.path.description] ?? .ordinary }
    }
}

@Suite("The gate says what may enter", .enabled(if: overlayWorks, "no overlay can be mounted here"))
struct GateTests {
    @Test func inspectionsAndSpecialFiles() throws {
        let bench = try Bench()
        try bench.outside("printf a >f")
        let plan = try bench.prepare()
        try bench.inside(plan, "printf 1 >f; printf 1 >index; printf 1 >bad; mkfifo pipe")
        let set = try plan.listChanges(limits: ResourceLimits())
        let bad = try #require(RelativePath("bad"))
        let finding = GateFinding(path: bad, rule: RuleID("test"), level: .ask, reason: "a test")
        let inspector = TableInspector(answers: ["index": .unchanged, "bad": .finding(finding)])
        let report = try CommitGate(plan, limits: ResourceLimits()).judge(set, inspector: inspector)
        #expect(report.changeSet.lines == ["created file bad", "changed file f"])
        #expect(report.findings.map(\.rule.rawValue).sorted() == ["special-file-dropped", "test"])
        #expect(report.verdict == .ask)
        #expect(!report.isApplicableUnasked)
        #expect(report.changeSet.digest != set.digest)
        try bench.perform(report.changeSet, plan)
        #expect(try bench.picture().map { $0.split(separator: " ")[0] } == ["bad", "f"])
    }

    @Test(arguments: [
        ("for i in $(seq 30); do printf x >$i; done", "too-many-files"),
        ("truncate -s 1T sparse", "too-many-bytes"),
        ("head -c 70000 /dev/zero >a; cp a b", "too-many-bytes"),
        ("python3 -c 'import os\nfor i in range(10000):\n os.mkdir(\"d\"*20); os.chdir(\"d\"*20)'", "too-deep"),
    ])
    func limits(script: String, rule: String) throws {
        let bench = try Bench()
        let plan = try bench.prepare()
        try bench.inside(plan, script)
        var limits = ResourceLimits()
        limits.workspaceFiles = rule == "too-deep" ? 20_000 : 20
        limits.workspaceBytes = 100_000
        let report = try bench.judge(plan, limits: limits)
        #expect(report.findings.contains { $0.rule.rawValue == rule && $0.level == .deny })
        #expect(report.verdict == .deny)
        #expect(throws: WorkspaceError.self) { try bench.perform(report.changeSet, plan) }
        let set = try plan.listChanges(limits: limits)
        try Discard(runDirectory: bench.run).perform(
            set,
            grant: bench.grant(.discardChanges(set.digest)),
            time: MachineTime()
        )
        #expect(try Bench.picture(of: bench.run + "/workspace").isEmpty)
    }

    @Test func pathsLongerThanPathMaxAreApplied() throws {
        let bench = try Bench()
        let plan = try bench.prepare()
        try bench.inside(
            plan,
            "python3 -c 'import os\nfor i in range(40):\n os.mkdir(\"d\"*200); os.chdir(\"d\"*200)\n"
                + "open(\"f\",\"w\").write(\"deep\")'"
        )
        let report = try bench.judge(plan)
        #expect(report.changeSet.changes.count == 41)
        try bench.perform(report.changeSet, plan)
        #expect(try bench.picture().last?.hasSuffix("deep") == true)
        let second = try Bench(existing: bench.root, number: 2)
        let secondPlan = try second.prepare()
        try second.inside(secondPlan, "rm -r d*")
        let removal = try second.judge(secondPlan)
        #expect(removal.changeSet.counts.deleted == 1)
        try second.perform(removal.changeSet, secondPlan)
        #expect(try bench.picture().isEmpty)
    }

    @Test func aProjectDeeperThanTheLimitIsRefusedByName() throws {
        let bench = try Bench()
        try bench.outside("python3 -c 'import os\nfor i in range(400):\n os.mkdir(\"d\"); os.chdir(\"d\")'")
        let error = #expect(throws: WorkspaceError.self) { try bench.prepare() }
        #expect(error?.message.contains("256 levels") == true)
    }

    @Test func anUnchangedRunNeedsNoGrant() throws {
        let bench = try Bench()
        try bench.outside("printf a >f")
        let plan = try bench.prepare()
        try bench.inside(plan, "cat f >/dev/null")
        let set = try plan.listChanges(limits: ResourceLimits())
        try Discard(runDirectory: bench.run).performUnchanged(set)
        let plan2 = try bench.prepare()
        try bench.inside(plan2, "printf b >f")
        let changed = try plan2.listChanges(limits: ResourceLimits())
        #expect(throws: WorkspaceError.self) { try Discard(runDirectory: bench.run).performUnchanged(changed) }
    }
}

@Suite(
    "A change set is shown so that nothing in it can fool a reader",
    .enabled(if: overlayWorks, "no overlay can be mounted here")
)
struct DiffTests {
    /// Who decides by what is shown decides about what was listed.
    @Test func nothingButWhatWasListed() throws {
        let bench = try Bench()
        let plan = try bench.prepare()
        try bench.inside(plan, "echo listed >f")
        let set = try plan.listChanges(limits: ResourceLimits())
        try "shown?\n".write(toFile: plan.trees[0].tree.changed + "/f", atomically: false, encoding: .utf8)
        var lines: [String] = []
        try UnifiedDiff(plan) { lines.append($0) }.show(set)
        #expect(
            lines.dropFirst(2) == [
                "The file is not what was listed when the command ended: something wrote to it since."
            ]
        )
    }

    @Test func likeGit() throws {
        let bench = try Bench()
        try bench.outside("seq 1 20 >f; printf 'no end' >g; printf '\\0' >bin; ln -s f link; printf x >gone; mkdir d")
        let plan = try bench.prepare()
        try bench.inside(
            plan,
            """
            sed -i '3d; s/^15$/fifteen/' f; printf 'no end\\n' >g; printf '\\0\\0' >bin; ln -sfn g link; rm gone
            chmod 755 f; printf '\\ttab\\e[2J\\n' >$'e\\e[31m'; chmod 700 d
            """
        )
        var lines: [String] = []
        try UnifiedDiff(plan) { lines.append($0) }.show(plan.listChanges(limits: ResourceLimits()))
        #expect(
            lines == [
                "diff --git a/bin b/bin", "Binary files differ (2 bytes now).",
                "directory d: mode 755 to 700",
                "diff --git a/e\\x1b[31m b/e\\x1b[31m", "new file mode 100644", "--- /dev/null", "+++ b/e\\x1b[31m",
                "@@ -0,0 +1 @@",
                "+\ttab\\x1b[2J",
                "diff --git a/f b/f", "old mode 100644", "new mode 100755", "--- a/f", "+++ b/f", "@@ -1,6 +1,5 @@",
                " 1", " 2", "-3", " 4", " 5", " 6", "@@ -12,7 +11,7 @@", " 12", " 13", " 14", "-15", "+fifteen", " 16",
                " 17", " 18",
                "diff --git a/g b/g", "--- a/g", "+++ b/g", "@@ -1 +1 @@", "-no end", "\\ No newline at end of file",
                "+no end",
                "diff --git a/gone b/gone", "deleted file mode 100644", "--- a/gone", "+++ /dev/null", "@@ -1 +0,0 @@",
                "-x",
                "\\ No newline at end of file",
                "diff --git a/link b/link", "--- a/link", "+++ b/link", "@@ -1 +1 @@", "-f",
                "\\ No newline at end of file", "+g",
                "\\ No newline at end of file",
            ]
        )
    }

    /// Random edits: applying the steps to the old lines gives the new ones, and git agrees that the count is least.
    @Test func stepsLeadFromOldToNew() throws {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<300 {
            let old = (0..<Int.random(in: 0...30, using: &generator)).map { _ in
                Int.random(in: 0...5, using: &generator)
            }
            let new = (0..<Int.random(in: 0...30, using: &generator)).map { _ in
                Int.random(in: 0...5, using: &generator)
            }
            let steps = try #require(LineDifferenceProbe.steps(old, new))
            #expect(steps.rebuilt == new && steps.kept == LineDifferenceProbe.longestCommon(old, new))
        }
    }
}
