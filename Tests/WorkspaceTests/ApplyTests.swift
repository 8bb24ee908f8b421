import Domain
import Foundation
import Testing
import Workspace

/// A tree and a script that between them use every kind of operation.
enum Everything {
    static let before = """
        mkdir -p a/b/c d/e shut keep; printf one >f; printf two >a/g; printf three >a/b/h; printf four >a/b/c/i
        ln -s f link; chmod 640 f; printf x >d/x; printf y >d/e/y; printf s >shut/s; printf t >toDirectory
        mkdir toFile; printf u >toFile/u; printf v >toLink; printf m >mode; printf hard >h1; ln h1 h2; printf k >keep/k
        """
    static let script = """
        printf 1 >>f; rm -r a; mkdir -p new/deep; printf n >new/deep/n; chmod 500 new/deep; ln -sfn d link
        printf z >d/e/z; rm d/x; chmod 750 d; printf s2 >shut/s2; chmod 500 shut; rm toDirectory; mkdir toDirectory
        printf w >toDirectory/w; rm -r toFile; printf F >toFile; rm toLink; ln -s f toLink; chmod 755 mode; rm h1 h2
        ln -s /etc/hostname absolute; printf x >$'new\\nline\\xff'
        """
}

@Suite("A change set is applied whole", .enabled(if: overlayWorks, "no overlay can be mounted here"))
struct ApplyTests {
    /// What the command saw when it ended, without the layers.
    private func view(_ bench: Bench, _ plan: WorkspacePlan, _ script: String) throws -> [String] {
        try bench.inside(plan, script + "\nrm -rf '\(bench.root)/after'; cp -a . '\(bench.root)/after'")
        return try Bench.picture(of: bench.root + "/after")
    }

    @Test(arguments: [false, true])
    func everyKind(isCopy: Bool) throws {
        let bench = try Bench()
        try bench.outside(Everything.before)
        let plan = try bench.prepare(isCopy ? .copy(reason: nil) : .overlay)
        let after = try view(bench, plan, Everything.script)
        let report = try bench.judge(plan)
        #expect(report.conflictLines == [])
        try bench.perform(report.changeSet, plan)
        #expect(try bench.picture() == after)
        let left = try Bench.picture(of: bench.run + "/workspace").map { $0.split(separator: " ")[0] }
        #expect(!left.contains { $0.hasPrefix("tree") || $0 == "apply" || $0 == "intent" })
        #expect(try bench.recover() == .applied)
        #expect(throws: WorkspaceError.self) { try bench.perform(report.changeSet, plan) }
    }

    @Test("old content and layers go once all is in place, then or at the next start", arguments: [false, true])
    func leftForLater(isKilled: Bool) throws {
        let bench = try Bench()
        try bench.outside("printf x >f; mkdir d; printf y >d/g")
        let plan = try bench.prepare()
        try bench.inside(plan, "printf z >f; rm -r d; printf n >new")
        let set = try plan.listChanges(limits: ResourceLimits())
        let stored = { try FileManager.default.contentsOfDirectory(atPath: bench.run + "/workspace") }
        #expect(throws: WorkspaceError.self) { try bench.apply().clear(plan) }
        #expect(try stored().contains("tree0"))
        try set.digest.hex.write(toFile: bench.root + "/applying", atomically: false, encoding: .utf8)
        _ = try bench.apply().perform(set, plan, grant: bench.grant(.applyChanges(set.digest)), time: MachineTime())
        let picture = try bench.picture()
        #expect(picture.map { $0.split(separator: " ")[0] } == ["f", "new"])
        #expect(try Set(stored()).isSuperset(of: ["tree0", "apply", "applied"]))
        if isKilled { #expect(try bench.recover() == .applied) } else { try bench.apply().clear(plan) }
        #expect(try Set(stored()).isDisjoint(with: ["tree0", "apply", "intent"]) && stored().contains("applied"))
        // A file that was placed had a second name in the layer.
        #expect(try bench.picture() == picture.map { $0.replacingOccurrences(of: " true ", with: " false ") })
    }

    @Test func aSetIdBitIsNeverApplied() throws {
        let bench = try Bench()
        try bench.outside("printf x >f")
        let plan = try bench.prepare()
        try bench.inside(plan, "chmod 4755 f; printf y >g")
        let set = try plan.listChanges(limits: ResourceLimits())
        let before = try bench.picture()
        #expect(throws: WorkspaceError.self) { try bench.perform(set, plan) }
        #expect(try bench.picture() == before)
    }

    @Test func contentThatChangedSinceTheListingIsRefused() throws {
        let bench = try Bench()
        try bench.outside("printf x >f")
        let plan = try bench.prepare()
        try bench.inside(plan, "printf y >f; printf z >g")
        let set = try plan.listChanges(limits: ResourceLimits())
        try bench.outside("printf Z >.bailey/runs/\(bench.runID)/workspace/tree0/upper/g")
        let before = try bench.picture()
        #expect(throws: WorkspaceError.self) { try bench.perform(set, plan) }
        #expect(try bench.picture() == before)
        #expect(try bench.recover() == .nothing)
    }

    @Test func aGrantForAnotherSetIsRefused() throws {
        let bench = try Bench()
        try bench.outside("printf x >f")
        let plan = try bench.prepare()
        try bench.inside(plan, "printf y >f; printf z >g")
        let set = try plan.listChanges(limits: ResourceLimits())
        let other = ChangeSet(run: set.run, changes: set.changes.filter { $0.path.description == "f" })
        for kind in [Action.Kind.applyChanges(other.digest), .discardChanges(set.digest)] {
            #expect(throws: WorkspaceError.self) {
                try bench.apply().perform(set, plan, grant: bench.grant(kind), time: MachineTime())
            }
        }
        #expect(throws: WorkspaceError.self) {
            let foreign = RunID(unchecked: "r_other")
            let grant = try bench.grant(.applyChanges(set.digest), run: foreign)
            _ = try bench.apply().perform(set, plan, grant: grant, time: MachineTime())
        }
        #expect(try Bench.picture(of: bench.project).contains { $0.hasPrefix("f ") && $0.hasSuffix(" x") })
    }

    @Test func theSecondOfTwoRunsThatTouchAFileIsAConflict() throws {
        let first = try Bench()
        try first.outside("printf x >f; printf y >g")
        let firstPlan = try first.prepare()
        let second = try Bench(existing: first.root, number: 2)
        let secondPlan = try second.prepare()
        try first.inside(firstPlan, "printf 1 >f; printf same >both")
        try second.inside(secondPlan, "printf 2 >f; printf same >both; printf g >g")
        try first.perform(first.judge(firstPlan).changeSet, firstPlan)
        let report = try second.judge(secondPlan)
        #expect(report.conflictLines == ["changed-outside f"])
        #expect(!report.isApplicableUnasked)
        let before = try first.picture()
        #expect(throws: WorkspaceError.self) { try second.perform(report.changeSet, secondPlan) }
        #expect(try first.picture() == before)
    }

    @Test func aDirectorySwappedForALinkNeverLeadsOutside() async throws {
        let bench = try Bench()
        try bench.outside("mkdir -p d/e d.real ../out/e; for i in $(seq 40); do printf x >d/e/$i; done")
        let plan = try bench.prepare()
        try bench.inside(plan, "for i in $(seq 40); do printf y >d/e/$i; printf n >d/e/n$i; done")
        let set = try bench.judge(plan).changeSet
        let d = bench.project + "/d"
        let outside = bench.root + "/out"
        let isDone = DispatchSemaphore(value: 0)
        let swapper = Thread {
            var turn = 0
            while isDone.wait(timeout: .now()) == .timedOut {
                turn += 1
                rename(d, d + ".real/moved")
                symlink(outside, d)
                usleep(UInt32(turn % 50))
                unlink(d)
                rename(d + ".real/moved", d)
                usleep(UInt32(turn % 300))
            }
        }
        swapper.start()
        // Either outcome is right; what is not is a byte outside the project.
        _ = try? bench.perform(set, plan)
        isDone.signal()
        while !swapper.isFinished { usleep(1000) }
        #expect(try Bench.picture(of: outside) == ["e directory 755"])
        let recovery = try bench.recover()
        #expect(recovery == .nothing || recovery == .applied)
    }

    @Test func aFileEditedWhileApplyRunsIsKept() throws {
        let bench = try Bench()
        try bench.outside("printf 1 >a; printf 2 >b; printf 3 >c")
        let plan = try bench.prepare()
        try bench.inside(plan, "printf A >a; printf B >b; rm c")
        let set = try bench.judge(plan).changeSet
        var performed = 0
        let project = bench.project
        #expect(throws: WorkspaceError.self) {
            try bench.perform(set, plan) { point in
                guard point.description == "operation performed" else { return }
                performed += 1
                if performed == 1 { try? "mine".write(toFile: project + "/b", atomically: false, encoding: .utf8) }
            }
        }
        let lines = try bench.picture()
        #expect(lines.map { String($0.first ?? "?") + ($0.split(separator: " ").last ?? "") } == ["a1", "bmine", "c3"])
    }
}
