import Authority
import Domain
import Journal
import Workspace

/// Settles a finished run's changes: applied, held or discarded, each with its permission and its record. Used at the
/// end of a run and by `bailey changes`.
struct RunClosing {
    let principal: Principal
    let project: ProjectID
    let lockDirectory: String
    let assembly: Assembly
    let records: RunRecords
    let journal: JournalWriter
    let stored: StoredRun
    let plan: WorkspacePlan
    let console: Console
    /// For what is shown before the question.
    let paint: Paint

    /// Lists what the command did and judges it. Every writer is dead, so what is listed now is what there is.
    func record(_ outcome: Outcome, gate: ChangeGate, limits: ResourceLimits) throws -> GateReport {
        CrashPoint.reached("command exited")
        let report = try gate.judge(try plan.listChanges(limits: limits))
        try WorkspacePlan.storeChanges(report.changeSet, in: stored)
        try journal.append(records.ended(outcome) + [records.changes(report)], actor: principal)
        CrashPoint.reached("changes recorded")
        return report
    }

    /// What the options say of a run that has just ended.
    func settle(_ report: GateReport, gate: ChangeGate, mode: ApplyMode) throws -> ChangeState {
        guard !report.changeSet.isEmpty else {
            try Discard(runDirectory: stored.runDirectory).performUnchanged(report.changeSet)
            try journal.append(records.completed(.none), actor: principal)
            return .none
        }
        let state: ChangeState =
            switch mode {
            case .never: .held
            case .auto: report.isApplicableUnasked ? try applyOrHold(report) : .held
            case .ask: try ask(report, gate: gate)
            }
        // Before anybody is told that it is there.
        if state == .held { try plan.synchronizeChanges(report.changeSet) }
        return state
    }

    /// Applies a judged set: intent recorded, performed, result recorded.
    func apply(_ report: GateReport) throws {
        let set = report.changeSet
        try SettledMark.clear(runDirectory: stored.runDirectory)
        let grant = try assembly.authority.authorize(action(.applyChanges(set.digest)))
        try journal.append([records.granted(grant), records.applying(set)], actor: principal)
        CrashPoint.reached("apply recorded")
        let apply = Apply(stored, lockDirectory: lockDirectory, checkpoint: CrashPoint.reached)
        do {
            let outcome = try apply.perform(
                set,
                plan,
                grant: grant,
                time: assembly.time,
                layersAreShared: othersLive()
            )
            try journal.append([records.applied(set, outcome), records.completed(.applied)], actor: principal)
        } catch let error as WorkspaceError {
            try journal.append(records.rolledBack(error), actor: principal)
            throw error
        }
        CrashPoint.reached("apply ended")
        try clear(apply)
    }

    /// In doubt they do.
    private func othersLive() -> Bool {
        (try? RunDirectory.othersLive(beside: plan.run, in: lockDirectory)) ?? true
    }

    /// The changes are in the project by now, whatever becomes of the layers: that error is another one.
    private func clear(_ apply: Apply) throws(CommandError) {
        do {
            try apply.clear(plan)
        } catch {
            throw CommandError(
                ExitStatus.failed,
                "the changes are in the project, but \(error.message)",
                hint: "What is left of \(plan.run) is removed when bailey starts next in this project."
            )
        }
    }

    /// An apply that was taken back leaves the set held; the command's own end stands.
    private func applyOrHold(_ report: GateReport) throws -> ChangeState {
        do {
            try apply(report)
            return .applied
        } catch let error as WorkspaceError {
            console.error(error)
            return .held
        }
    }

    func discard(_ set: ChangeSet) throws {
        try SettledMark.clear(runDirectory: stored.runDirectory)
        let grant = try assembly.authority.authorize(action(.discardChanges(set.digest)))
        // The word comes first: half of a set must never look like one that can still be applied.
        try journal.append([records.granted(grant), records.discarded(set)], actor: principal)
        CrashPoint.reached("discard recorded")
        try Discard(runDirectory: stored.runDirectory).perform(set, grant: grant, time: assembly.time)
        CrashPoint.reached("discarded")
        try journal.append(records.completed(.discarded), actor: principal)
    }

    /// Shows the set and asks for a word.
    func ask(_ report: GateReport, gate: ChangeGate) throws -> ChangeState {
        guard let prompt = Prompt() else { return .held }
        ChangeListing(console: console).remark(report)
        guard report.conflicts.isEmpty, report.verdict < .deny else { return .held }
        while true {
            switch prompt.ask("apply, keep, discard or diff?", words: ["apply", "keep", "discard", "diff"]) {
            case "apply":
                // What was shown is what is applied: the set is judged again, and the digest must still be the same.
                let again = try gate.judge(report.changeSet)
                guard again.changeSet.digest == report.changeSet.digest, again.conflicts.isEmpty else { return .held }
                return try applyOrHold(again)
            case "discard":
                try discard(report.changeSet)
                return .discarded
            case "diff":
                try DiffPage(plan: plan, paint: paint).show(report.changeSet) { prompt.show($0) }
            default:
                return .held
            }
        }
    }

    private func action(_ kind: Action.Kind) -> Action {
        Action(kind: kind, principal: principal, run: plan.run, project: project)
    }
}
