import Authority
import Domain
import Files
import Journal
import Policy
import Redaction
import Sandbox
import Workspace

/// The whole path of one run, from the command line to the last record. Everything that `bailey run` does happens here,
/// in this order; the parts know nothing of each other.
struct RunPath {
    let words: [String]
    let options: RunOptions
    let caller: Caller

    func run() throws -> Int32 {
        // Where: the project, the state, what the operator allows. What a killed Bailey left is healed first.
        let place = try RunPlace.open(options, caller: caller)
        let assembly = try Assembly(place)
        try place.state.removeLitter()
        try Recovery.recoverAll(place.projectDirectory, assembly, place.principal)
        let run = RunID.make(milliseconds: assembly.time.unixMilliseconds(), random: .random(in: .min ... .max))
        let directory = try RunDirectory.create(run, in: place.projectDirectory)
        let lock = try RunLock(directory)
        defer { withExtendedLifetime(lock) {} }
        try directory.publish(in: place.projectDirectory)

        // The launcher starts and waits, while we find out what to tell it.
        let sandbox = try prepareSandbox(place, run, lock.descriptor)

        // What the command will see: the project without what is hidden.
        let git = try GitView(project: place.project, caller: caller, console: place.console)
        var plan = try prepareFirst(place, directory, assembly, git)

        // What is wanted, exactly; from here on every word of it is redacted before it is kept.
        let action = try makeAction(place, run, plan)
        let redactor = HiddenValues.redactor(
            caller: caller,
            project: place.project,
            hidden: plan.hidden,
            extra: action.command.environment
        )
        let records = RunRecords(redactor: redactor)
        let journal = try JournalWriter(.run(run), in: directory.handle, time: assembly.time)

        // The decision, the grant and the execution that consumes it.
        let outcome: Outcome
        do {
            outcome = try execute(action, &plan, consume sandbox, place, assembly, records, journal, directory, git)
        } catch {
            try fail(error, nil, records, journal, assembly, place, directory)
            throw error
        }

        // What it did, and what becomes of it.
        let closing = closing(plan, place, assembly, records, journal, directory)
        let gate = ChangeGate(
            plan: plan,
            limits: place.limits,
            caller: caller,
            inspector: git.inspector(verifyPack: PackCheck(place, assembly, run).verify)
        )
        let report = try judge(outcome, gate, closing, place, assembly, directory)
        // Half of what a command meant to do is nothing to bring in unasked.
        let isCutShort = outcome.cause == .sandboxDied && options.applyMode(place.console) == .auto
        let mode = isCutShort ? .never : options.applyMode(place.console)
        let state = try closing.settle(report, gate: gate, mode: mode)
        try seal(journal, assembly, place, directory)
        return try RunReport(run: run, options: options, console: place.console)
            .finish(outcome, state: state, report: report)
    }

    /// Signs where the journal stands, and says that there is nothing to recover.
    private func seal(
        _ journal: JournalWriter,
        _ assembly: Assembly,
        _ place: borrowing RunPlace,
        _ directory: borrowing RunDirectory
    ) throws {
        CrashPoint.reached("changes settled")
        try assembly.recordHead(of: directory.run, journal, place)
        CrashPoint.reached("head recorded")
        try SettledMark.set(directory)
    }

    /// Takes the sandbox and lets go of it: with it the caller's terminal becomes what it was, which a question needs.
    private func execute(
        _ action: Action,
        _ plan: inout WorkspacePlan,
        _ sandbox: consuming PreparedSandbox,
        _ place: borrowing RunPlace,
        _ assembly: Assembly,
        _ records: RunRecords,
        _ journal: JournalWriter,
        _ directory: borrowing RunDirectory,
        _ git: GitView
    ) throws -> Outcome {
        let view = try SandboxView(place: place, assembly: assembly, run: action.run, git: git)
        let grant = try permit(action, plan, place, assembly, records, journal, directory)
        CrashPoint.reached("grant recorded")
        do {
            return try view.execute(grant, plan, sandbox)
        } catch let error as SandboxError where error.code == .overlay && choice == .auto {
            // This file system cannot be a layer. A copy is as safe and only slower; the record says why.
            plan = try prepare(.copy(reason: error.message), place, directory, assembly, git)
            let copied = try makeAction(place, action.run, plan)
            let again = try permit(copied, plan, place, assembly, records, journal, directory)
            return try view.execute(again, plan, prepareSandbox(place, action.run))
        }
    }

    private func judge(
        _ outcome: Outcome,
        _ gate: ChangeGate,
        _ closing: RunClosing,
        _ place: borrowing RunPlace,
        _ assembly: Assembly,
        _ directory: borrowing RunDirectory
    ) throws -> GateReport {
        do {
            return try closing.record(outcome, gate: gate, limits: place.limits)
        } catch {
            try fail(error, outcome, closing.records, closing.journal, assembly, place, directory)
            throw error
        }
    }

    private func prepareSandbox(
        _ place: borrowing RunPlace,
        _ run: RunID,
        _ lock: Int32? = nil
    ) throws -> PreparedSandbox {
        try PreparedSandbox(
            launcherPath: try LauncherLocator.locate(caller: caller),
            limits: place.limits,
            streams: streams,
            usesTerminal: place.usesTerminal,
            run: run,
            keeping: lock
        )
    }

    private func closing(
        _ plan: WorkspacePlan,
        _ place: borrowing RunPlace,
        _ assembly: Assembly,
        _ records: RunRecords,
        _ journal: JournalWriter,
        _ directory: borrowing RunDirectory
    ) -> RunClosing {
        RunClosing(
            principal: place.principal,
            project: place.projectDirectory.id,
            lockDirectory: place.projectDirectory.path,
            assembly: assembly,
            records: records,
            journal: journal,
            runDirectory: directory.path,
            plan: plan,
            console: place.console
        )
    }

    /// Decides, and has the decision and the grant durable before anything happens.
    private func permit(
        _ action: Action,
        _ plan: WorkspacePlan,
        _ place: borrowing RunPlace,
        _ assembly: Assembly,
        _ records: RunRecords,
        _ journal: JournalWriter,
        _ directory: borrowing RunDirectory
    ) throws -> Grant {
        CrashPoint.reached("journal created")
        let digest = assembly.authority.digest(of: action)
        try Inputs.write(action, digest: digest, key: assembly.key, in: directory)
        let summary = RunRecords.PlanSummary(
            engine: .native,
            copyReason: plan.copyReason,
            hiddenCount: plan.hidden.count,
            limits: place.limits
        )
        let decision = assembly.authority.decide(action)
        let created = records.created(action, digest: digest, decision: decision, plan: summary)
        let grant = try assembly.authority.authorize(action)
        try journal.append([created, records.granted(grant)], actor: place.principal)
        return grant
    }

    private var choice: Workspace.Choice {
        switch options.workspace {
        case nil: .auto
        case .overlay: .overlay
        case .copy: .copy(reason: nil)
        }
    }

    /// With --json standard output is ours, and the command's output goes to standard error.
    private var streams: StandardStreams {
        options.json ? StandardStreams(input: 0, output: 2, error: 2) : StandardStreams()
    }

    /// An error here leaves nothing: nothing was decided and nothing begun, so that there is nothing to record.
    private func prepareFirst(
        _ place: borrowing RunPlace,
        _ directory: borrowing RunDirectory,
        _ assembly: Assembly,
        _ git: GitView
    ) throws -> WorkspacePlan {
        do {
            let plan = try prepare(choice, place, directory, assembly, git)
            CrashPoint.reached("workspace prepared")
            return plan
        } catch {
            try? directory.remove(from: place.projectDirectory)
            throw error
        }
    }

    private func prepare(
        _ choice: Workspace.Choice,
        _ place: borrowing RunPlace,
        _ directory: borrowing RunDirectory,
        _ assembly: Assembly,
        _ git: GitView
    ) throws -> WorkspacePlan {
        let workspace = Workspace(
            project: place.project,
            runDirectory: directory.path,
            stateDirectory: place.state.path,
            run: directory.run,
            limits: place.limits,
            time: assembly.time
        )
        return try workspace.prepare(
            choice,
            gitDirectories: git.outsideDirectories,
            isTrackedUnchanged: git.isTrackedUnchanged
        )
    }

    private func makeAction(_ place: borrowing RunPlace, _ run: RunID, _ plan: WorkspacePlan) throws -> Action {
        let environment = CommandEnvironment(
            caller: caller,
            project: place.project,
            readable: place.readable,
            run: run
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
            principal: place.principal,
            run: run,
            project: place.projectDirectory.id
        )
    }

    /// A run that did not come to its end says so in its journal. What an executed command did is never thrown away
    /// over an error of ours: it stays where it is until the run is pruned.
    private func fail(
        _ error: any Error,
        _ outcome: Outcome?,
        _ records: RunRecords,
        _ journal: JournalWriter,
        _ assembly: Assembly,
        _ place: borrowing RunPlace,
        _ directory: borrowing RunDirectory
    ) throws {
        guard !journal.isEnded else { return }
        let ending = outcome.map { [records.exited($0)] } ?? []
        try journal.append(ending + [records.failed(error)], actor: place.principal)
        try assembly.recordHead(of: directory.run, journal, place)
        if outcome == nil {
            try directory.handle.removeTree(Array("workspace".utf8))
        } else {
            place.console.remark("what the command did stays in \(directory.path)/workspace until the run is pruned")
        }
        try SettledMark.set(directory)
    }
}

extension Action {
    /// The command of a run's action.
    var command: CommandRequest {
        guard case .runCommand(let command) = kind else { preconditionFailure("a run's action is a command") }
        return command
    }
}
