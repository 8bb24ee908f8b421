import Domain
import Workspace

/// The commit gate with its inspector, so that a set can be judged again before it is applied later.
struct ChangeGate {
    private let gate: CommitGate
    private let inspector: any ChangeInspector

    init(plan: WorkspacePlan, limits: ResourceLimits, caller: Caller, inspector: any ChangeInspector) {
        gate = CommitGate(plan, limits: limits, toolchainRoots: ReadablePlaces.toolchains(caller))
        self.inspector = inspector
    }

    func judge(_ changes: ChangeSet) throws -> GateReport { try gate.judge(changes, inspector: inspector) }
}
