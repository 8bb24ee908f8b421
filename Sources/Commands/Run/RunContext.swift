import Domain
import Files
import Sandbox
import Workspace

/// One run on its way: what was asked for, where it takes place, its directory, and the locks that say that it lives.
final class RunContext {
    let words: [String]
    let options: RunOptions
    let place: RunPlace
    let assembly: Assembly
    let directory: RunDirectory
    private let runLock: RunLock
    private let projectLock: ProjectLock

    private init(
        _ words: [String],
        _ options: RunOptions,
        _ place: consuming RunPlace,
        _ assembly: Assembly,
        _ directory: consuming RunDirectory,
        _ runLock: consuming RunLock,
        _ projectLock: consuming ProjectLock
    ) {
        self.words = words
        self.options = options
        self.place = place
        self.assembly = assembly
        self.directory = directory
        self.runLock = runLock
        self.projectLock = projectLock
    }

    var run: RunID { directory.run }
    var caller: Caller { place.caller }
    var console: Console { place.console }
    var principal: Principal { place.principal }

    /// Finds the place, heals what a killed Bailey left there, and makes the run's directory.
    static func open(_ words: [String], _ options: RunOptions, caller: Caller) throws -> RunContext {
        let place = try RunPlace.open(words, options, caller: caller)
        let assembly = try Assembly(place)
        let use: ProjectLock.Use = options.workspace == .direct ? .alone : .shared
        let projectLock = try ProjectLock(
            place.projectDirectory,
            use,
            waits: !options.noWait,
            console: place.console
        )
        try place.state.removeLitterIfDue()
        try Recovery.recoverAll(place.projectDirectory, place.state, assembly, place.principal)
        let run = RunID.make(milliseconds: assembly.time.unixMilliseconds(), random: .random(in: .min ... .max))
        let directory = try RunDirectory.create(run, in: place.projectDirectory)
        let runLock = try RunLock(directory)
        try directory.publish(in: place.projectDirectory)
        return RunContext(words, options, place, assembly, directory, runLock, projectLock)
    }

    /// The first launcher of the run. An error leaves nothing: nothing was decided and nothing begun.
    func startFirstSandbox() throws -> PreparedSandbox {
        do {
            return try startSandbox()
        } catch {
            try? directory.remove(from: place.projectDirectory)
            throw error
        }
    }

    /// Starts a launcher, which waits until it is told what to do, and beside it the broker of the run's network.
    func startSandbox() throws -> PreparedSandbox {
        let network = try place.network?.start(place.secrets, caller: caller)
        let isDirect = options.workspace == .direct
        return try PreparedSandbox(
            launcherPath: try LauncherLocator.locate(caller: caller),
            limits: place.limits,
            streams: streams,
            usesTerminal: place.usesTerminal,
            run: run,
            keeping: isDirect ? [runLock.descriptor, projectLock.descriptor] : [runLock.descriptor],
            network: network
        )
    }

    /// With --json standard output is ours, and the command's output goes to standard error.
    private var streams: StandardStreams {
        options.json ? StandardStreams(input: 0, output: 2, error: 2) : StandardStreams()
    }

    /// What `--workspace` means for a project that is not worked on directly.
    var choice: Workspace.Choice {
        switch options.workspace {
        case nil, .direct: .auto
        case .overlay: .overlay
        case .copy: .copy(reason: nil)
        }
    }

    /// Prepares the workspace that was asked for. An error leaves nothing: nothing was decided and nothing begun, so
    /// that there is nothing to record.
    func prepareFirst(_ git: GitView) throws -> WorkspacePlan {
        do {
            let plan = try options.workspace == .direct ? prepareDirect(git) : prepare(choice, git)
            CrashPoint.reached("workspace prepared")
            return plan
        } catch {
            try? directory.remove(from: place.projectDirectory)
            throw error
        }
    }

    func prepare(_ choice: Workspace.Choice, _ git: GitView) throws -> WorkspacePlan {
        try workspace.prepare(
            choice,
            gitDirectories: git.outsideDirectories,
            tracked: git.tracked
        )
    }

    private func prepareDirect(_ git: GitView) throws -> WorkspacePlan {
        while true {
            let plan = try workspace.prepareDirect(
                gitDirectories: git.outsideDirectories,
                inspector: git.liveInspector,
                tracked: git.tracked
            )
            guard let nested = try NestedRuns.busy(plan) else {
                try ShutProject.note(place.project, state: place.state)
                return plan
            }
            try NestedRuns.wait(for: nested, in: place.project, waits: !options.noWait, console: console)
        }
    }

    /// For what Bailey has its own commands find out on the way.
    var ownCommands: OwnCommands { OwnCommands(caller, place.state, assembly, for: run, of: place.projectDirectory.id) }

    /// The run whose stored files are written and read.
    var stored: StoredRun { assembly.stored(run, of: place.project, in: directory.path) }

    private var workspace: Workspace {
        Workspace(
            stored,
            stateDirectory: place.state.path,
            limits: place.limits,
            time: assembly.time
        )
    }

    /// What is wanted, exactly.
    func action(_ plan: WorkspacePlan) throws -> Action {
        let environment = CommandEnvironment(
            caller: caller,
            project: place.project,
            readable: place.readable,
            run: run,
            hasNetwork: place.network != nil,
            agent: place.agent.variables(place.secrets, caller: caller, project: place.project),
            secrets: place.secrets.variables
        )
        return Action(
            kind: .runCommand(
                CommandRequest(
                    arguments: words,
                    workingDirectory: place.workingDirectory,
                    environment: try environment.variables(extra: options.environment),
                    workspace: plan.mode
                )
            ),
            principal: principal,
            run: run,
            project: place.projectDirectory.id
        )
    }
}
