import Authority
import BrokerLink
import Domain
import Egress
import Sandbox
import Workspace

/// Turns what is known of a run into a request to the engine, and executes.
struct SandboxView {
    private let base: SandboxRequest
    private let time: SystemTime
    private let caller: Caller
    private let secrets: RunSecrets

    init(place: borrowing RunPlace, assembly: Assembly, run: RunID, git: GitView) throws {
        let caller = place.caller
        time = assembly.time
        self.caller = caller
        secrets = place.secrets
        let rules = place.network?.settings.models ?? ModelRules()
        let agent = place.agent.home(place.secrets, rules, caller: caller, project: place.project)
        for line in agent?.remarks ?? [] { place.console.remark(line) }
        var request = SandboxRequest(
            mounts: [],
            home: try PrivateHome.make(
                caller: caller,
                project: place.projectDirectory.id,
                projectPath: place.project,
                state: place.state,
                gitConfiguration: git.homeFiles,
                agent: agent
            ),
            readable: place.readable,
            limits: place.limits,
            identity: .ordinary(userID: caller.userID, groupID: caller.groupID),
            canary: place.state.path,
            userName: caller.userName,
            run: run
        )
        request.covered = ReadablePlaces.settings(caller)
        if let network = place.network {
            request.gitConfiguration = GitAddresses.configuration(network.settings)
            request.home.files = GitAddresses.included(in: request.home.files)
        }
        request.home.files += secrets.loginFiles
        base = request
    }

    func execute(_ grant: consuming Grant, _ plan: WorkspacePlan, _ prepared: PreparedSandbox) throws -> Outcome {
        var request = base
        request.mounts = plan.mounts
        // Where a key and a login of an agent lie in one file, the key counts: it was set for this run.
        var paths: Set<String> = []
        request.home.files = request.home.files.filter { paths.insert($0.path).inserted }
        return try Execution.perform(grant, request, caller: caller, time: time, prepared: prepared) {
            secrets.release()
            CrashPoint.reached("sandbox started")
        }
    }
}
