import Domain
import Foundation
import Testing
import Workspace

@Suite("A damaged stored file of a run is told as such")
struct DamagedFileTests {
    private func ended() throws -> Bench {
        let bench = try Bench()
        try bench.outside("echo a >f")
        let plan = try bench.prepare(.copy(reason: nil))
        try bench.inside(plan, "echo b >f")
        try WorkspacePlan.storeChanges(plan.listChanges(limits: ResourceLimits()), in: bench.stored)
        return bench
    }

    static let damages = [
        "printf x >>FILE", "truncate -s -1 FILE", "truncate -s 0 FILE", "truncate -s 5G FILE",
        "rm FILE; mkdir FILE", "rm FILE; ln -s /etc/passwd FILE", "rm FILE; mkfifo FILE",
        "printf 'BLYPLN99' | dd of=FILE conv=notrunc status=none",
    ]

    @Test(arguments: damages)
    func changes(_ damage: String) throws {
        let bench = try ended()
        try bench.outside(damage.replacingOccurrences(of: "FILE", with: "'\(bench.run)/workspace/changes'"))
        let error = #expect(throws: WorkspaceError.self) { try WorkspacePlan.loadChanges(bench.stored) }
        #expect(error?.code == .damaged, "\(String(describing: error))")
        #expect(error?.message.contains(bench.run) == true)
        #expect(error?.hint != nil)
    }

    @Test(arguments: damages, ["plan", "index0", "manifest0"])
    func plan(_ damage: String, _ name: String) throws {
        let bench = try ended()
        try bench.outside(damage.replacingOccurrences(of: "FILE", with: "'\(bench.run)/workspace/\(name)'"))
        let error = #expect(throws: WorkspaceError.self) { try WorkspacePlan.load(bench.stored) }
        #expect(error?.code == .damaged, "\(String(describing: error))")
        #expect(error?.message.contains(bench.run) == true)
    }

    @Test("a change set of another run or of a tree that is not there is damaged, and no crash")
    func mixedUp() throws {
        let bench = try ended()
        let plan = try WorkspacePlan.load(bench.stored)
        let path = try #require(RelativePath("f"))
        let change = Change(tree: 3, path: path, kind: .created, file: .file, size: 1, mode: 0o644)
        let place = ChangeSet.Place(tree: 2, path: path)
        let sets = [
            ChangeSet(run: bench.runID, changes: [change]),
            ChangeSet(run: bench.runID, changes: [], replacedDirectories: [place]),
            ChangeSet(run: RunID(unchecked: "r_other"), changes: []),
        ]
        for set in sets {
            let error = #expect(throws: WorkspaceError.self) {
                try CommitGate(plan, limits: ResourceLimits()).judge(set, inspector: NoInspector())
            }
            #expect(error?.code == .damaged)
        }
        for set in sets.prefix(2) {
            let error = #expect(throws: WorkspaceError.self) { try bench.perform(set, plan) }
            #expect(error?.code == .damaged)
        }
    }
}
