import Domain
import Workspace

/// The end of a run that worked on the project directly: a look at what it left, since there is nothing to apply.
struct DirectClosing {
    let plan: WorkspacePlan
    let git: GitView
    let caller: Caller
    let runDirectory: String

    /// Call it when every process of the sandbox is dead.
    func look() throws -> LiveReport {
        CrashPoint.reached("command exited")
        return try LiveCheck.perform(
            plan,
            inspector: git.liveInspector,
            toolchainRoots: ReadablePlaces.toolchains(caller)
        )
    }

    /// Nothing of the project's lies there.
    func removeWorkspace() throws {
        try Discard(runDirectory: runDirectory).performUnchanged(ChangeSet(run: plan.run, changes: []))
    }
}
