import Authority
import Domain
import Git

/// Has git verify a new pack behind the wall: a pack is hostile input to the parser that reads it.
struct PackCheck: Sendable {
    private static let timeoutSeconds = 120.0

    let caller: Caller
    let authority: Authority
    let time: SystemTime
    let canary: String
    let run: RunID
    let project: ProjectID

    init(_ place: borrowing RunPlace, _ assembly: Assembly, _ run: RunID) {
        self.init(
            caller: place.caller,
            authority: assembly.authority,
            time: assembly.time,
            canary: place.state.path,
            run: run,
            project: place.projectDirectory.id
        )
    }

    init(
        caller: Caller,
        authority: Authority,
        time: SystemTime,
        canary: String,
        run: RunID,
        project: ProjectID
    ) {
        self.caller = caller
        self.authority = authority
        self.time = time
        self.canary = canary
        self.run = run
        self.project = project
    }

    /// True if git finds the pack and its index whole.
    func verify(_ pack: GitPack) throws -> Bool {
        var limits = ResourceLimits()
        limits.timeoutSeconds = Self.timeoutSeconds
        let check = OwnCommand(
            caller: caller,
            authority: authority,
            time: time,
            canary: canary,
            run: run,
            project: project,
            limits: limits,
            command: CommandRequest(
                arguments: ["/usr/bin/git", "verify-pack", pack.directory + "/" + pack.name + ".idx"],
                workingDirectory: "/tmp",
                environment: [EnvironmentVariable(name: "PATH", value: "/usr/bin:/bin")],
                workspace: .copy
            )
        )
        let outcome = try check.perform(check.authorize(), home: "/home/bailey", readable: [pack.directory])
        return outcome.ending == .exited(code: 0)
    }
}
