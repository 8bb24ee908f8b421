import Domain
import Testing
import Workspace

@testable import FuzzTargets

/// Finds everything ordinary.
private struct BlindInspector: ChangeInspector {
    func inspect(_ changes: [Change], trees: [WorkspaceTree]) throws -> [Inspection] { changes.map { _ in .ordinary } }
}

@Suite("the fuzzers' oracle sees what a gate lets in")
struct GateOracleTests {
    @Test("a hook passes an inspector that is blind, and the oracle notices")
    func canFail() throws {
        let bed = try WorkspaceBed(.copy(reason: nil))
        try bed.clear()
        var input = FuzzInput(Array(HostileTree.seeds[0].dropFirst()))
        try HostileTree.build(&input, in: bed.plan.workspaceTrees[0])
        try GateOracle(bed.plan).check()
        let oracle = try GateOracle(bed.plan, inspector: BlindInspector())
        #expect(throws: FuzzFinding.self) { try oracle.check() }
    }
}
