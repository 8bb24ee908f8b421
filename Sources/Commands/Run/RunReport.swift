import Domain
import Redaction
import Workspace

/// What `bailey run` says at the end, and its exit code.
struct RunReport {
    /// Notes that are printed; the record holds all.
    private static let notesMax = 10
    /// Who waited longer has forgotten what it was that ran.
    private static let quickSeconds = 60.0

    let run: RunID
    let options: RunOptions
    let console: Console
    let paint: Paint
    let redactor: Redactor
    /// Reads from the run's journal what it reached.
    let readHosts: () -> HostTally

    func finish(_ outcome: Outcome, state: ChangeState, report: GateReport) throws -> Int32 {
        let counts = report.changeSet.counts
        let lines: [String] =
            switch state {
            case .held: [heldLine(report)]
            case .applied: notes(report) + (isWorthASummary(outcome) ? ["changes were applied (\(counts.text))"] : [])
            case .discarded: isWorthASummary(outcome) ? ["changes were discarded (\(counts.text))"] : []
            case .none: isWorthASummary(outcome) ? ["no changes"] : []
            }
        return conclude(outcome, state, counts, lines)
    }

    /// The end of a run whose changes are in the project already.
    func finish(_ outcome: Outcome, direct report: LiveReport) throws -> Int32 {
        let counted = isWorthASummary(outcome) ? ["changes are live (\(report.counts.text))"] : []
        return conclude(outcome, report.changeState, report.counts, DirectNotice.end(report, run: run) + counted)
    }

    /// What matters first: alarms, how it ended, what was refused, what became of its changes, what it used.
    private func conclude(
        _ outcome: Outcome,
        _ state: ChangeState,
        _ counts: ChangeSet.Counts,
        _ changes: [String]
    ) -> Int32 {
        let denials = DenialReport(
            observation: outcome.observation,
            network: outcome.network,
            redactor: redactor,
            paint: paint
        )
        let code = exitCode(outcome)
        denials.remarkAlarms(console, run: run)
        if !options.quiet { remark(outcome, code, denials, changes) }
        if options.json {
            let answer = json(outcome, code, state, counts, denials)
            console.result(String(decoding: answer.bytes(), as: UTF8.self))
        }
        return code
    }

    private func remark(_ outcome: Outcome, _ code: Int32, _ denials: DenialReport, _ changes: [String]) {
        if let cause = outcome.cause { console.remark(paint(.red, sentence(cause))) }
        let isWhole = isWorthASummary(outcome)
        if isWhole {
            let time = Quantity.time(milliseconds: UInt64(outcome.usage.wallSeconds * 1000))
            console.remark(paint(code == 0 ? .green : .red, "exit \(code)") + " after \(time)")
        }
        denials.remark(console, run: run)
        changes.forEach(console.remark)
        if isWhole, outcome.network != nil, let reached = readHosts().sentence(run) { console.remark(reached) }
        // A log holds them also where a program reads the rest.
        models(outcome).lines.forEach(console.remark)
        if isWhole { console.remark(paint(.dim, "all of it: bailey runs show \(run)")) }
    }

    private func models(_ outcome: Outcome) -> ModelLines {
        ModelLines(use: outcome.models ?? ModelUse()) { Printable.text(redactor.redact($0).text) }
    }

    /// A quick command that used nothing says for itself how it went.
    private func isWorthASummary(_ outcome: Outcome) -> Bool {
        guard !options.json else { return false }
        return options.summary || outcome.usage.wallSeconds >= Self.quickSeconds
            || (outcome.network?.connections ?? 0) > 0 || !(outcome.models?.isEmpty ?? true)
    }

    /// What was let in and deserves a look.
    private func notes(_ report: GateReport) -> [String] {
        let notes = report.findings.filter { $0.level == .note }
        let lines = notes.prefix(Self.notesMax).map { "note: \($0.path): \($0.reason) [\($0.rule)]" }
        guard notes.count > Self.notesMax else { return lines }
        return lines + ["note: \(notes.count - Self.notesMax) more; see: bailey journal show \(run)"]
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
        ]).adding((outcome.network == nil ? HostTally() : readHosts()).json)
    }
}
