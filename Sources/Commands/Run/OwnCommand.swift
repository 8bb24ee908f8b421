import Authority
import Domain
import Sandbox

/// A command of Bailey's own behind the wall: it sees no project and has nothing to read and nothing to say. Its grant
/// comes the same way as any.
struct OwnCommand {
    let caller: Caller
    let authority: Authority
    let time: SystemTime
    /// A host path that must not be visible.
    let canary: String
    let run: RunID
    let project: ProjectID
    let limits: ResourceLimits
    let command: CommandRequest

    func authorize() throws -> Grant {
        try authority.authorize(
            Action(
                kind: .runCommand(command),
                principal: .human(userID: caller.userID),
                run: run,
                project: project
            )
        )
    }

    /// - Parameters:
    ///   - home: where its empty home lies.
    ///   - readable: what is shown of the host beside the system.
    func perform(
        _ grant: consuming Grant,
        mounts: [WorkspaceMount] = [],
        home: String,
        readable: [String] = []
    ) throws -> Outcome {
        let null = try NullStreams()
        let request = SandboxRequest(
            mounts: mounts,
            home: .init(path: home),
            readable: readable,
            limits: limits,
            identity: .ordinary(userID: caller.userID, groupID: caller.groupID),
            canary: canary,
            userName: caller.userName,
            run: run
        )
        let prepared = try PreparedSandbox(
            launcherPath: try LauncherLocator.locate(caller: caller),
            limits: limits,
            streams: null.streams,
            usesTerminal: false,
            run: run
        )
        return try Execution.perform(grant, request, caller: caller, time: time, prepared: prepared)
    }
}
