import Domain
import Files
import Journal
import Workspace

/// The end of a run that worked on the project directly, in order or after a crash: a look at what it left, since there
/// is nothing to apply.
struct DirectClosing {
    let plan: WorkspacePlan
    let git: GitView
    let caller: Caller

    /// Call it when every process of the sandbox is dead.
    func look() throws -> LiveReport {
        CrashPoint.reached("command exited")
        return try LiveCheck.perform(
            plan,
            inspector: git.liveInspector,
            toolchainRoots: ReadablePlaces.toolchains(caller)
        )
    }

    /// Records the run's last events, takes its workspace away, where nothing of the project's lies, and forgets which
    /// mode the project had.
    func close(
        _ directory: borrowing RunDirectory,
        _ state: borrowing StateDirectory,
        _ journal: JournalWriter,
        _ events: [Record],
        actor: Principal
    ) throws {
        try journal.append(events, actor: actor)
        try directory.removeWorkspace()
        try ShutProject.forget(plan.project, state: state)
    }
}
