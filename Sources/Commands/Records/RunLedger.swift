import Authority
import Domain
import Files
import Journal
import Redaction
import Sandbox
import Workspace

/// What is written down of a run: its permission before anything happens, and its end, whatever that is.
struct RunLedger {
    let context: RunContext
    let records: RunRecords
    let journal: JournalWriter

    /// From here on every word of the action is redacted before it is kept.
    init(_ context: RunContext, _ action: Action, _ plan: WorkspacePlan) throws {
        self.context = context
        records = RunRecords(
            redactor: HiddenValues.redactor(
                caller: context.caller,
                project: context.place.project,
                hidden: plan.hidden,
                extra: action.command.environment
            )
        )
        journal = try JournalWriter(.run(context.run), in: context.directory.handle, time: context.assembly.time)
    }

    /// Decides, and has the decision and the grant durable before anything happens.
    func permit(_ action: Action, _ plan: WorkspacePlan) throws -> Grant {
        CrashPoint.reached("journal created")
        let authority = context.assembly.authority
        let digest = authority.digest(of: action)
        try Inputs.write(action, digest: digest, key: context.assembly.key, in: context.directory)
        let summary = RunRecords.PlanSummary(
            engine: .native,
            copyReason: plan.copyReason,
            hiddenCount: plan.hidden.count,
            limits: context.place.limits,
            network: context.place.network?.entries,
            secrets: context.place.secrets.held,
            agent: context.place.agent
        )
        let decision = authority.decide(action)
        let opening = records.created(action, digest: digest, decision: decision, plan: summary)
        let created = records.created(opening, guardedBy: plan.live)
        let grant = try authority.authorize(action)
        try journal.append([created, records.granted(grant)], actor: context.principal)
        CrashPoint.reached("grant recorded")
        return grant
    }

    /// Writes down what a run's broker tells, while it tells it, and takes what a person wants of the live run.
    func listen(to sandbox: PreparedSandbox) throws {
        guard let network = sandbox.network, let begun = context.place.network else { return }
        let (records, journal, actor) = (records, journal, context.principal)
        network.report { try journal.append($0.map(records.connection), actor: actor) }
        network.reportModels { try journal.append($0.compactMap(records.model), actor: actor) }
        LiveGrants.begin(network, begun, self)
        try LoginKeeper.begin(network, context)
    }

    func closing(_ plan: WorkspacePlan) -> RunClosing {
        RunClosing(
            principal: context.principal,
            project: context.place.projectDirectory.id,
            lockDirectory: context.place.projectDirectory.path,
            assembly: context.assembly,
            records: records,
            journal: journal,
            stored: context.stored,
            plan: plan,
            console: context.console,
            paint: Paint(2, context.caller.environment)
        )
    }

    /// What is said of the run at its end.
    var report: RunReport {
        RunReport(
            run: context.run,
            options: context.options,
            console: context.console,
            paint: Paint(2, context.caller.environment),
            redactor: records.redactor,
            readHosts: { [context] in (try? HostTally(context.run, in: context.directory.handle)) ?? HostTally() }
        )
    }

    /// Signs where the journal stands, and says that there is nothing to recover.
    func seal() throws {
        CrashPoint.reached("changes settled")
        try context.assembly.recordHead(of: context.run, journal, context.place)
        CrashPoint.reached("head recorded")
        try SettledMark.set(context.directory)
    }

    /// A run that did not come to its end says so. What an executed command left in layers of its own is never thrown
    /// away over an error of ours: it stays where it is until the run is pruned.
    func fail(_ error: any Error, _ outcome: Outcome?, _ plan: WorkspacePlan) throws {
        guard !journal.isEnded else { return }
        let ending = outcome.map { records.ended($0) } ?? []
        try journal.append(ending + [records.failed(error)], actor: context.principal)
        try context.assembly.recordHead(of: context.run, journal, context.place)
        if outcome == nil || plan.mode == .direct {
            try context.directory.removeWorkspace()
        } else {
            context.console.remark(
                "what the command did stays in \(context.directory.path)/workspace until the run is pruned"
            )
        }
        try SettledMark.set(context.directory)
    }
}

extension Action {
    /// The command of a run's action.
    var command: CommandRequest {
        guard case .runCommand(let command) = kind else { preconditionFailure("a run's action is a command") }
        return command
    }
}
