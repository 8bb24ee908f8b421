import Domain
import Files
import Glibc
import Journal
import Sandbox

/// Runs `true` behind the wall on a workspace of its own, and leaves nothing behind.
struct SandboxProbe {
    /// More launches than a measurement needs.
    static let launchesMax = 10_000
    /// How the names of its places in the state directory begin.
    static let namePrefix = "probe-"

    let caller: Caller

    /// Launches once.
    func run() throws -> Outcome {
        let outcomes = try launch(count: 1)
        guard let outcome = outcomes.last?.outcome else { preconditionFailure("one launch has one outcome") }
        return outcome
    }

    /// Launches `count` times, one after the other, and measures each from the grant to the last process's end.
    func launch(count: Int) throws -> [(outcome: Outcome, nanoseconds: UInt64)] {
        precondition((1...Self.launchesMax).contains(count), "the caller has checked the count")
        let state = try StateDirectory.open(caller, project: nil)
        let assembly = try Assembly(state: state)
        let run = RunID.make(milliseconds: assembly.time.unixMilliseconds(), random: .random(in: .min ... .max))
        let name = Self.namePrefix + run.rawValue
        let place = state.path + "/" + name
        try state.handle.makeDirectory(Array(name.utf8), mode: 0o700)
        defer { try? state.handle.removeTree(Array(name.utf8)) }
        try Self.makeDirectory(place + "/lower")
        let own = OwnCommands(caller, state, assembly, for: run, of: ProjectID.make(milliseconds: 0, random: 0))
        let command = CommandRequest(
            arguments: ["/bin/true"],
            workingDirectory: "/",
            environment: [],
            workspace: .overlay
        )
        return try (0..<count).map { index in
            // Layers of a finished launch cannot be used for another.
            let layers = place + "/layers\(index)"
            for part in ["", "/upper", "/work"] { try Self.makeDirectory(layers + part) }
            let mount = mount(lower: place + "/lower", layers: layers)
            let grant = try own.authorize(command)
            let started = assembly.time.monotonicNanoseconds()
            let outcome = try own.perform(grant, mounts: [mount], home: caller.home)
            return (outcome, assembly.time.monotonicNanoseconds() - started)
        }
    }

    private static func makeDirectory(_ path: String) throws(SystemError) {
        guard mkdir(path, 0o700) == 0 else { throw SystemError("mkdir", code: errno, path: path) }
    }

    private func mount(lower: String, layers: String) -> WorkspaceMount {
        WorkspaceMount(
            source: .overlay(lower: lower, mask: nil, layers: layers),
            target: "/srv/probe",
            ownerUserID: caller.userID,
            ownerGroupID: caller.groupID
        )
    }
}
