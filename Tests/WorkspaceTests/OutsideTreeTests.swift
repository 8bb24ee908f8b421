import Domain
import Foundation
import TestSupport
import Testing
import Workspace

@Suite(
    "A git directory outside the project is a tree of its own",
    .enabled(if: overlayWorks, "no overlay can be mounted here")
)
struct OutsideTreeTests {
    /// `/dev/shm` is another file system than the project's: nothing can be renamed across.
    @Test(arguments: ["/tmp", "/dev/shm"], [Workspace.Choice.overlay, .copy(reason: nil)])
    func isAppliedWithTheProject(place: String, choice: Workspace.Choice) throws {
        let bench = try Bench()
        let outside = try TemporaryDirectory("bailey-outside", in: place)
        try bench.outside("printf a >f")
        try Bench.shell("printf b >HEAD; mkdir refs; printf c >refs/x; ln -s HEAD l; sleep 0.02", in: outside.path)
        let plan = try bench.prepare(choice, gitDirectories: [outside.path])
        #expect(plan.mounts.map(\.target) == [bench.project, outside.path])
        try bench.inside(plan, "printf 1 >f")
        try bench.inside(plan, tree: 1, "printf 2 >HEAD; rm refs/x; mkdir -p new/d; printf 3 >new/d/y; ln -sfn new l")
        let report = try bench.judge(plan)
        #expect(report.conflictLines == [])
        #expect(report.changeSet.changes.map(\.tree) == [0, 1, 1, 1, 1, 1, 1])
        try bench.perform(report.changeSet, plan)
        #expect(try bench.picture() == ["f file 644 false 1"])
        #expect(
            try Bench.picture(of: outside.path) == [
                "HEAD file 644 false 2", "l symlink 777 false -> new", "new directory 755", "new/d directory 755",
                "new/d/y file 644 false 3", "refs directory 755",
            ]
        )
    }

    @Test func killedHalfWayItIsFinished() async throws {
        let bench = try Bench()
        let outside = try TemporaryDirectory("bailey-outside", in: "/dev/shm")
        try bench.outside("printf a >f")
        try Bench.shell("printf b >HEAD; printf c >gone; sleep 0.02", in: outside.path)
        let plan = try bench.prepare(.overlay, gitDirectories: [outside.path])
        try bench.inside(plan, "printf 1 >f")
        try bench.inside(plan, tree: 1, "printf 2 >HEAD; rm gone; printf 3 >new")
        try WorkspacePlan.storeChanges(bench.judge(plan).changeSet, in: bench.stored)
        await #expect(processExitsWith: .signal(SIGKILL)) { [root = bench.root as String] in
            let bench = try Bench(existing: root)
            let plan = try WorkspacePlan.load(bench.stored)
            guard let set = try WorkspacePlan.loadChanges(bench.stored) else { exit(3) }
            var performed = 0
            try bench.perform(set, plan) { point in
                if point.description == "operation performed" { performed += 1 }
                if performed == 2 { kill(getpid(), SIGKILL) }
            }
        }
        #expect(try bench.recover() == .finished)
        #expect(try bench.picture() == ["f file 644 false 1"])
        #expect(try Bench.picture(of: outside.path) == ["HEAD file 644 false 2", "new file 644 false 3"])
    }
}

@Suite("A workspace that cannot be an overlay says why")
struct ChoiceTests {
    @Test(.enabled(if: geteuid() == 0, "only root can make files of another owner"))
    func foreignOwnersNeedACopy() throws {
        let bench = try Bench()
        try bench.outside("printf a >f; mkdir d; printf b >d/g; chown 1234:1234 d/g")
        let plan = try bench.prepare(.auto)
        #expect(plan.mode == .copy)
        #expect(plan.copyReason == "files in d have another owner or group than the project")
        #expect(throws: WorkspaceError.self) { try bench.prepare(.overlay) }
        try bench.inside(plan, "printf c >d/g; printf n >d/n")
        let report = try bench.judge(plan)
        #expect(report.changeSet.lines == ["changed file d/g", "created file d/n"])
        try bench.perform(report.changeSet, plan)
        try Bench.shell(
            "test $(stat -c %u d/g) = 1234; test $(stat -c %u d/n) = 0; test $(cat d/g) = c",
            in: bench.project
        )
    }

    @Test func aCopyKeepsTheLimits() throws {
        let bench = try Bench()
        try bench.outside("for i in 1 2 3 4 5; do head -c 1000 /dev/zero >$i; done")
        var limits = ResourceLimits()
        limits.workspaceFiles = 4
        #expect(throws: WorkspaceError.self) { try bench.prepare(.copy(reason: nil), limits: limits) }
        limits.workspaceFiles = 100
        limits.workspaceBytes = 4000
        #expect(throws: WorkspaceError.self) { try bench.prepare(.copy(reason: nil), limits: limits) }
        limits.workspaceBytes = 5000
        #expect(try bench.prepare(.copy(reason: "asked"), limits: limits).copyReason == "asked")
    }

    @Test func aStoredPlanIsTheSameAndADamagedOneIsRefused() throws {
        let bench = try Bench()
        try bench.outside("printf a >f; printf b >.env")
        let plan = try bench.prepare(.copy(reason: "asked"))
        let loaded = try WorkspacePlan.load(bench.stored)
        #expect(loaded.hidden == plan.hidden && loaded.baseTime == plan.baseTime && loaded.copyReason == "asked")
        #expect(loaded.workspaceTrees == plan.workspaceTrees && loaded.mounts.isEmpty)
        for name in ["plan", "index0", "manifest0"] {
            let path = URL(fileURLWithPath: bench.run + "/workspace/" + name)
            let good = try Data(contentsOf: path)
            var bad = good
            bad[good.count / 2] ^= 1
            try bad.write(to: path)
            let error = #expect(throws: WorkspaceError.self) { try WorkspacePlan.load(bench.stored) }
            #expect(error?.code == .damaged)
            try good.write(to: path)
        }
    }
}
