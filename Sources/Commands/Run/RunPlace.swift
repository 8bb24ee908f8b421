import Domain
import Egress
import Files
import Glibc
import Policy
import Sandbox

/// Where a run takes place: the project and its `.bailey`, the state, the configuration that holds there.
struct RunPlace: ~Copyable {
    let console: Console
    let caller: Caller
    let project: String
    let projectDirectory: ProjectDirectory
    let state: StateDirectory
    let configuration: Configuration
    let limits: ResourceLimits
    /// The agent that the command is, and the services that it uses.
    let agent: RunAgent
    /// What is held outside for the command.
    let secrets: RunSecrets
    /// Nil for a run that may reach nothing.
    let network: RunNetwork?
    /// What is shown beside the system and the project, judged against the credential places.
    let readable: [String]
    let usesTerminal: Bool
    /// Where the command starts: the caller's directory if it lies in the project, else the project.
    let workingDirectory: String
    let principal: Principal

    static func open(_ words: [String], _ options: RunOptions, caller: Caller) throws -> RunPlace {
        let console = Console()
        let project = try ProjectLocator.locate(explicit: options.project, caller: caller)
        try ProjectTrust.check(project, caller: caller)
        try ShutProject.reopen(project, caller: caller)
        let configuration = try ConfigurationFiles.load(caller: caller, project: project)
        let readable = try ReadablePlaces.judge(configuration.readable + options.readable, caller: caller)
        let here = caller.workingDirectory
        let workingDirectory = here == project || here.hasPrefix(project + "/") ? here : project
        let agent = try RunAgent.find(
            words,
            options,
            configuration,
            RecipeMatch(caller, project, workingDirectory, readable),
            console: console,
            caller: caller
        )
        let reader = SecretReader(caller: caller, project: project, readable: readable)
        let plan = try SecretPlan.make(
            configuration,
            options: options.network.secrets,
            plain: (configuration.network.allow ?? []) + options.network.rules(),
            extra: agent.held(configuration.logins, reader, console: console)
        )
        try plan.checkEnvironment(options.environment)
        let usesTerminal = !options.json && isatty(0) == 1 && isatty(1) == 1
        let limitSettings = try options.limits().over(configuration.limits)
        let limits = limitSettings.resourceLimits(interactive: usesTerminal)
        try CommandEnvironment.check(options.environment, caller: caller)
        let secrets = try RunSecrets(plan, reader)
        secrets.remark(console)
        if let line = agent.missing(secrets) { console.remark(line) }
        let network = try RunNetwork.make(configuration, options.network, secrets, limitSettings, agent, caller: caller)
        let state = try StateDirectory.open(caller, project: project)
        let first = try FirstRun.begin(project, state: state, waits: !options.noWait, console: console)
        let projectDirectory = try ProjectDirectory.open(project, state: state, caller: caller, makesIfAbsent: true)
        withExtendedLifetime(first) {}
        return RunPlace(
            console: console,
            caller: caller,
            project: project,
            projectDirectory: projectDirectory,
            state: state,
            configuration: configuration,
            limits: limits,
            agent: agent,
            secrets: secrets,
            network: network,
            readable: readable,
            usesTerminal: usesTerminal,
            workingDirectory: workingDirectory,
            principal: .human(userID: caller.userID)
        )
    }
}
