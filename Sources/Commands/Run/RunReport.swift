import Domain
import Redaction
import Workspace

/// What `bailey run` says at the end, and its exit code.
struct RunReport {
    /// Notes that are printed; the record holds all.
    private static let notesMax = 10

    let run: RunID
    let options: RunOptions
    let console: Console
    let redactor: Redactor

    func finish(_ outcome: Outcome, state: ChangeState, report: GateReport) throws -> Int32 {
        let denials = opening(outcome)
        switch state {
        case .held: console.remark(heldLine(report))
        case .applied: pointOut(report)
        case .none, .discarded: break
        }
        return result(outcome, state, report.changeSet.counts, denials)
    }

    /// The end of a run whose changes are in the project already.
    func finish(_ outcome: Outcome, direct report: LiveReport) throws -> Int32 {
        let denials = opening(outcome)
        for line in DirectNotice.end(report, run: run) { console.remark(line) }
        return result(outcome, report.changeState, report.counts, denials)
    }

    /// Why it was killed, and what it was refused.
    private func opening(_ outcome: Outcome) -> DenialReport {
        if let cause = outcome.cause { console.remark(sentence(cause)) }
        let denials = DenialReport(
            observation: outcome.observation,
            network: outcome.network,
            redactor: redactor
        )
        denials.remark(console, run: run)
        if let line = outcome.models?.line { console.remark(line) }
        return denials
    }

    private func result(
        _ outcome: Outcome,
        _ state: ChangeState,
        _ counts: ChangeSet.Counts,
        _ denials: DenialReport
    ) -> Int32 {
        let code = exitCode(outcome)
        if options.json {
            console.result(String(decoding: json(outcome, code, state, counts, denials).bytes(), as: UTF8.self))
        }
        return code
    }

    /// What was let in and deserves a look.
    private func pointOut(_ report: GateReport) {
        let notes = report.findings.filter { $0.level == .note }
        for note in notes.prefix(Self.notesMax) { console.remark("note: \(note.path): \(note.reason) [\(note.rule)]") }
        if notes.count > Self.notesMax {
            console.remark("note: \(notes.count - Self.notesMax) more; see: bailey journal show \(run)")
        }
    }

    private func exitCode(_ outcome: Outcome) -> Int32 {
        switch outcome.cause {
        case .timeout: ExitStatus.timedOut
        case .interrupted: ExitStatus.signalBase + 2
        case .terminated: ExitStatus.signalBase + 15
        default: outcome.ending.shellCode
        }
    }

    private func sentence(_ cause: KillCause) -> String {
        switch cause {
        case .timeout: "the command was killed: its time was up (--timeout)"
        case .output: "the command was killed: it wrote more output than allowed (--output-limit)"
        case .memory: "the command was killed: it used more memory than allowed (--memory)"
        case .cpuTime: "the command was killed: it used more CPU time than allowed (--cpu-time)"
        case .processes: "the command was killed: it started more processes than allowed (--processes)"
        case .workspace:
            "the command was killed: its changes take more room than allowed (limits.workspace_bytes, workspace_files)"
        case .interrupted: "the command was killed: interrupted"
        case .terminated: "the command was killed: bailey was told to end"
        case .sandboxDied: "the command was killed: somebody ended its sandbox from outside"
        }
    }

    private func heldLine(_ report: GateReport) -> String {
        let why: String
        if let conflict = report.conflicts.first {
            why = "\(conflict.path) is a conflict (\(conflict.cause.rawValue))"
        } else if let finding = report.findings.filter({ $0.level == report.verdict && $0.level > .note }).first {
            why = "\(finding.path) needs a look (\(finding.rule))"
        } else {
            why = "nothing was applied"
        }
        return
            "changes are held (\(report.changeSet.counts.text)): "
            + "\(why); look with: bailey changes show \(run)"
    }

    private func json(
        _ outcome: Outcome,
        _ code: Int32,
        _ state: ChangeState,
        _ counts: ChangeSet.Counts,
        _ denials: DenialReport
    ) -> JSONValue {
        .object([
            ("run", .string(run.rawValue)), ("exit_code", .integer(Int64(code))),
            ("was_killed", .bool(outcome.wasKilled)), ("cause", outcome.cause.map { .string($0.rawValue) } ?? .null),
            ("engine", .string(outcome.engine)), ("layers", .array(outcome.layers.map { .string($0.rawValue) })),
            (
                "changes",
                .object([("state", .string(state.rawValue))] + counts.json)
            ),
            ("denials", denials.json), ("models", outcome.models.map(\.json) ?? .null),
        ])
    }
}
