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
        // Where: the project, the state, what the operator allows.
        let place = try RunPlace.open(options, caller: caller)
        let assembly = try Assembly(place)
        try Recovery.recoverAll(place.projectDirectory, assembly, place.principal)
        let run = RunID.make(milliseconds: assembly.time.unixMilliseconds(), random: .random(in: .min ... .max))
        let directory = try RunDirectory.create(run, in: place.projectDirectory)
        let lock = try RunLock(directory)
        defer { withExtendedLifetime(lock) {} }
        try directory.publish(in: place.projectDirectory)
        CrashPoint.reached("run directory made")

        // What the command will see: the project without what is hidden.
        let workspace = Workspace(
            project: place.project,
            runDirectory: directory.path,
            stateDirectory: place.state.path,
            run: run,
            limits: place.limits,
            time: assembly.time
        )
        let git = try GitView(project: place.project, caller: caller)
        if let refusal = git.refusal { place.console.remark("the git directory stays outside: \(refusal)") }
        var plan: WorkspacePlan
        do {
            plan = try prepare(workspace, choice, git)
        } catch {
            // Nothing was decided and nothing begun: there is nothing to record.
            try? directory.remove(from: place.projectDirectory)
            throw error
        }
        CrashPoint.reached("workspace prepared")

        // What is wanted, exactly; from here on every word of it is redacted before it is kept.
        var action = try makeAction(place, run, plan)
        let redactor = HiddenValues.redactor(
            caller: caller,
            project: place.project,
            hidden: plan.hidden,
            extra: action.command.environment
        )
        let records = RunRecords(redactor: redactor)
        let journal = try JournalWriter(.run(run), in: directory.handle, time: assembly.time)
        CrashPoint.reached("journal created")

        var executed: Outcome?
        var isRecorded = false
        do {
            // The decision and the grant, durable before anything happens.
            let decision = assembly.authority.decide(action)
            let digest = assembly.authority.digest(of: action)
            try Inputs.write(action, digest: digest, key: assembly.key, in: directory)
            let summary = RunRecords.PlanSummary(
                engine: .native,
                copyReason: plan.copyReason,
                hiddenCount: plan.hidden.count,
                limits: place.limits
            )
            let created = records.created(action, digest: digest, decision: decision, plan: summary)
            let grant = try assembly.authority.authorize(action)
            try journal.append([created, records.granted(grant)], actor: place.principal)
            CrashPoint.reached("grant recorded")

            // The execution, which consumes the grant.
            let view = try SandboxView(place: place, assembly: assembly, run: run, git: git)
            let outcome: Outcome
            do {
                outcome = try view.execute(grant, plan, streams: streams)
            } catch let error as SandboxError where error.code == .overlay && choice == .auto {
                // This file system cannot be a layer. A copy is as safe and only slower; the record says why.
                plan = try prepare(workspace, .copy(reason: error.message), git)
                action = try makeAction(place, run, plan)
                let second = try assembly.authority.authorize(action)
                try journal.append(records.granted(second), actor: place.principal)
                outcome = try view.execute(second, plan, streams: streams)
            }
            executed = outcome
            CrashPoint.reached("command exited")

            // What it did: every writer is dead, so what is listed now is what there is.
            let changes = try plan.listChanges(limits: place.limits)
            let packs = PackCheck(
                caller: caller,
                authority: assembly.authority,
                time: assembly.time,
                canary: place.state.path,
                run: run,
                project: place.projectDirectory.id
            )
            let gate = ChangeGate(plan: plan, limits: place.limits, inspector: git.inspector(verifyPack: packs.verify))
            let report = try gate.judge(changes)
            try WorkspacePlan.storeChanges(report.changeSet, runDirectory: directory.path)
            try journal.append([records.exited(outcome), records.changes(report)], actor: place.principal)
            isRecorded = true
            CrashPoint.reached("changes recorded")

            // What becomes of it: applied, held or discarded.
            let closing = RunClosing(
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
            let state = try closing.settle(report, gate: gate, mode: options.applyMode(place.console))
            CrashPoint.reached("changes settled")
            try assembly.recordHead(of: run, journal, place)
            CrashPoint.reached("head recorded")
            try SettledMark.set(directory)
            return try RunReport(run: run, options: options, console: place.console)
                .finish(outcome, state: state, report: report)
        } catch {
            // What a command did is never thrown away over an error of ours: a listed set is held, and the next start
            // looks at it; one that could not be listed stays where it is until the run is pruned.
            guard !isRecorded else { throw error }
            try fail(error, executed, records, journal, assembly, place, run)
            if executed == nil {
                try directory.handle.removeTree(Array("workspace".utf8))
            } else {
                place.console.remark("what the command did stays in \(directory.path)/workspace until the run is pruned")
            }
            try SettledMark.set(directory)
            throw error
        }
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

    private func prepare(_ workspace: Workspace, _ choice: Workspace.Choice, _ git: GitView) throws -> WorkspacePlan {
        try workspace.prepare(choice, gitDirectories: git.outsideDirectories, isTrackedUnchanged: git.isTrackedUnchanged)
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

    /// A run that did not come to its end says so in its journal, if that can still be written.
    private func fail(
        _ error: any Error,
        _ outcome: Outcome?,
        _ records: RunRecords,
        _ journal: JournalWriter,
        _ assembly: Assembly,
        _ place: borrowing RunPlace,
        _ run: RunID
    ) throws {
        guard !journal.isEnded else { return }
        try journal.append((outcome.map { [records.exited($0)] } ?? []) + [records.failed(error)], actor: place.principal)
        try assembly.recordHead(of: run, journal, place)
    }
}

extension Action {
    /// The command of a run's action.
    var command: CommandRequest {
        guard case .runCommand(let command) = kind else { preconditionFailure("a run's action is a command") }
        return command
    }
}
