import Domain
import Git

/// Has git verify a new pack behind the wall: a pack is hostile input to the parser that reads it.
struct PackCheck: Sendable {
    private static let timeoutSeconds = 120.0

    let commands: OwnCommands

    /// True if git finds the pack and its index whole.
    func verify(_ pack: GitPack) throws -> Bool {
        var limits = ResourceLimits()
        limits.timeoutSeconds = Self.timeoutSeconds
        let command = CommandRequest(
            arguments: ["/usr/bin/git", "verify-pack", pack.directory + "/" + pack.name + ".idx"],
            workingDirectory: "/tmp",
            environment: [EnvironmentVariable(name: "PATH", value: "/usr/bin:/bin")],
            workspace: .copy
        )
        let outcome = try commands.perform(
            commands.authorize(command),
            limits: limits,
            home: "/home/bailey",
            readable: [pack.directory]
        )
        return outcome.ending == .exited(code: 0)
    }
}
