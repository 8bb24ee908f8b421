import Authority
import Domain
import Files
import Glibc
import Journal
import Sandbox

/// Runs `true` behind the wall on a workspace of its own, and leaves nothing behind.
struct SandboxProbe {
    let caller: Caller

    func run() throws -> Outcome {
        let state = try StateDirectory.open(caller, project: nil)
        let assembly = try Assembly(state: state)
        let run = RunID.make(milliseconds: assembly.time.unixMilliseconds(), random: .random(in: .min ... .max))
        let name = Array("probe-\(run)".utf8)
        defer { try? state.handle.removeTree(name) }
        try state.handle.makeDirectory(name, mode: 0o700)
        let directory = try state.handle.directory(name)
        for part in ["lower", "layers", "layers/upper", "layers/work"] {
            _ = mkdir("\(state.path)/probe-\(run)/\(part)", 0o700)
        }
        let place = "\(state.path)/probe-\(run)"
        let action = Action(
            kind: .runCommand(
                CommandRequest(arguments: ["/bin/true"], workingDirectory: "/", environment: [], workspace: .overlay)
            ),
            principal: .human(userID: caller.userID),
            run: run,
            project: ProjectID.make(milliseconds: 0, random: 0)
        )
        _ = try directory.status([])
        let mount = WorkspaceMount(
            source: .overlay(lower: place + "/lower", mask: nil, layers: place + "/layers"),
            target: "/srv/probe",
            ownerUserID: caller.userID,
            ownerGroupID: caller.groupID
        )
        let request = SandboxRequest(
            mounts: [mount],
            home: .init(path: caller.home),
            readable: [],
            limits: ResourceLimits(),
            identity: .ordinary(userID: caller.userID, groupID: caller.groupID),
            canary: state.path,
            userName: caller.userName,
            run: run
        )
        let null = try NullStreams()
        let grant = try assembly.authority.authorize(action)
        return try Execution.perform(
            grant,
            request,
            caller: caller,
            time: assembly.time,
            prepared: try PreparedSandbox(
                launcherPath: try LauncherLocator.locate(caller: caller),
                limits: ResourceLimits(),
                streams: null.streams,
                usesTerminal: false,
                run: run
            )
        )
    }
}
