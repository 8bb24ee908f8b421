import Domain
import Foundation
import Testing
import Workspace

/// Kill -9 at every marked point of an apply, then recovery: the tree is what it was before, or what it should become.
@Suite("A killed apply is finished or taken back", .enabled(if: overlayWorks, "no overlay can be mounted here"))
struct ApplyKillTests {
    /// Makes a bench whose run has ended, with its changes stored.
    private func ended() throws -> (Bench, before: [String], after: [String]) {
        let bench = try Bench()
        try bench.outside(Everything.before)
        let plan = try bench.prepare()
        try bench.inside(plan, Everything.script + "\ncp -a . '\(bench.root)/after'")
        let report = try bench.judge(plan)
        try WorkspacePlan.storeChanges(report.changeSet, in: bench.stored)
        return (bench, try bench.picture(), try Bench.picture(of: bench.root + "/after"))
    }

    /// Ends this process at the n-th checkpoint.
    private static func killer(at number: Int) -> (StaticString) -> Void {
        var left = number
        return { _ in
            if left == 0 { kill(getpid(), SIGKILL) }
            left -= 1
        }
    }

    private static func applyStored(_ root: String, killedAt number: Int) throws {
        let bench = try Bench(existing: root)
        let plan = try WorkspacePlan.load(bench.stored)
        guard let set = try WorkspacePlan.loadChanges(bench.stored) else { exit(3) }
        try bench.perform(set, plan, killer(at: number))
    }

    private func killApply(_ bench: Bench, at number: Int) async {
        await #expect(processExitsWith: .signal(SIGKILL)) { [root = bench.root as String, number = number as Int] in
            try Self.applyStored(root, killedAt: number)
        }
    }

    private func checkpointNames() throws -> [String] {
        let (bench, _, after) = try ended()
        var names: [String] = []
        let plan = try WorkspacePlan.load(bench.stored)
        let set = try #require(try WorkspacePlan.loadChanges(bench.stored))
        try bench.perform(set, plan) { names.append($0.description) }
        #expect(try bench.picture() == after)
        return names
    }

    @Test func atEveryPoint() async throws {
        let names = try checkpointNames()
        #expect(names.filter { $0 == "operation performed" }.count > 20)
        for (number, name) in names.enumerated() {
            let (bench, before, after) = try ended()
            await killApply(bench, at: number)
            let recovery = try bench.recover()
            let picture = try bench.picture()
            switch name {
            case "prepared", "staged":
                #expect(recovery == .nothing)
                #expect(picture == before, "killed at \(number) \(name)")
            case "applied", "cleared":
                #expect(recovery == .applied)
                #expect(picture == after, "killed at \(number) \(name)")
            default:
                #expect(recovery == .finished)
                #expect(picture == after, "killed at \(number) \(name)")
            }
            let left = try FileManager.default.contentsOfDirectory(atPath: bench.run + "/workspace")
            #expect(!left.contains("apply") && !left.contains("intent") && !left.contains("kept"))
        }
    }

    @Test func andKilledAgainWhileRecovering() async throws {
        for number in [3, 9, 17] {
            let (bench, _, after) = try ended()
            await killApply(bench, at: 5)
            await #expect(processExitsWith: .signal(SIGKILL)) { [root = bench.root as String, number = number as Int] in
                _ = try Bench(existing: root).recover(Self.killer(at: number))
            }
            #expect(try bench.recover() == .finished)
            #expect(try bench.picture() == after)
        }
    }

    @Test func andTheUserEditsWhatRemains() async throws {
        let (bench, before, _) = try ended()
        await killApply(bench, at: 6)
        // The last operations are still to come: one of them wants this name.
        try bench.outside("printf mine >absolute; printf edited >f")
        guard case .rolledBack(_, let left) = try bench.recover() else {
            Issue.record("the apply was not taken back")
            return
        }
        let picture = try bench.picture()
        let mine = picture.filter { $0.hasPrefix("absolute ") || $0.hasPrefix("f ") }
        #expect(mine.count == 2 && mine[0].hasSuffix("mine") && mine[1].hasSuffix("edited"))
        #expect(picture.filter { !mine.contains($0) } == before.filter { !$0.hasPrefix("f ") })
        #expect(left.allSatisfy { ["f", "absolute"].contains($0.description) })
    }

    @Test func andTheUserEditsWhatWasApplied() async throws {
        let names = try checkpointNames()
        let (bench, _, _) = try ended()
        let last = try #require(names.lastIndex(of: "operation performed"))
        await killApply(bench, at: last - 3)
        // This one is in place already; a conflict in what remains makes recovery take everything back.
        try bench.outside("printf mine >absolute.tmp; mv absolute.tmp toLink; printf later >mode.tmp; mv mode.tmp f")
        let recovery = try bench.recover()
        let picture = try bench.picture()
        #expect(picture.contains { $0.hasPrefix("f ") && $0.hasSuffix("later") }, "\(recovery)")
        #expect(picture.contains { $0.hasPrefix("toLink ") && $0.hasSuffix("mine") })
    }
}
