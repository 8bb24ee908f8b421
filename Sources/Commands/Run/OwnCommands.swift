import Authority
import Domain
import Sandbox

/// Runs commands of Bailey's own behind the wall: they see no project and have nothing to read and nothing to say.
/// Their grants come the same way as any.
struct OwnCommands: Sendable {
    private let caller: Caller
    private let authority: Authority
    private let time: SystemTime
    /// A host path that must not be visible.
    private let canary: String
    private let run: RunID
    private let project: ProjectID

    /// - Parameters:
    ///   - run: for whose sake they run.
    ///   - project: where that run belongs.
    init(
        _ caller: Caller,
        _ state: borrowing StateDirectory,
        _ assembly: Assembly,
        for run: RunID,
        of project: ProjectID
    ) {
        self.caller = caller
        authority = assembly.authority
        time = assembly.time
        canary = state.path
        self.run = run
        self.project = project
    }

    func authorize(_ command: CommandRequest) throws -> Grant {
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
        limits: ResourceLimits = ResourceLimits(),
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
