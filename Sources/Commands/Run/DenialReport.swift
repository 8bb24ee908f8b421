import Domain
import Redaction

/// What a run says at its end of what was refused: one line each, however often it was tried.
struct DenialReport {
    /// Lines that are printed; the record holds more.
    private static let linesMax = 20

    let observation: Observation
    /// Nil for a run without a network.
    let network: NetworkUse?
    let redactor: Redactor
    let paint: Paint

    /// What somebody must hear of whatever else they do not want to hear: a secret was on its way out.
    func remarkAlarms(_ console: Console, run: RunID) {
        // First those that no program inside can raise by itself, to hide others behind them.
        let all = allRefusals.filter(Self.isAlarm)
        let alarms = all.filter { $0.rule == .credentialReflected } + all.filter { $0.rule != .credentialReflected }
        for alarm in alarms.prefix(Self.linesMax) {
            let times = alarm.count == 1 ? "" : ", \(alarm.count) times"
            console.remark(paint(.red, "ALARM: \(text(alarm.target)): \(text(alarm.reason))\(times) [\(alarm.rule)]"))
        }
        let more = alarms.dropFirst(Self.linesMax).reduce(network?.alarmsLeftOut ?? 0) { $0 + $1.count }
        if more > 0 { console.remark(paint(.red, "ALARM: \(more) more; see: bailey egress log \(run)")) }
    }

    private static func isAlarm(_ refusal: NetworkUse.Refusal) -> Bool {
        RunAlarm.rules.contains(refusal.rule.rawValue)
    }

    func remark(_ console: Console, run: RunID) {
        for denial in observation.denials.prefix(Self.linesMax) { console.remark(line(denial)) }
        for refusal in refusals.prefix(Self.linesMax) { console.remark(line(refusal)) }
        let more = refusals.dropFirst(Self.linesMax).reduce(refusalsLeftOut) { $0 + $1.count }
        if more > 0 { console.remark("ACCESS DENIED: \(more) more refused connections; see: bailey egress log \(run)") }
        if let breakdown = network?.breakdown {
            console.remark(
                "warning: the network of the run broke down: \(redactor.redact(breakdown).text); from then on nothing "
                    + "could be reached"
            )
        }
        let rest = observation.denials.dropFirst(Self.linesMax).reduce(observation.denialsLeftOut) { $0 + $1.count }
        if rest > 0 { console.remark("ACCESS DENIED: \(rest) more refused calls; see: bailey runs show \(run)") }
    }

    private func line(_ denial: Denial) -> String {
        let times = denial.count == 1 ? "" : ", \(denial.count) times"
        let call = "\(Self.verb(denial.act)) \(Printable.text(target(denial)))"
        return paint(.yellow, "ACCESS DENIED") + ": \(call)\(times) [\(denial.rule.rawValue)]; "
            + "what would allow it: \(denial.rule.remedy); do not try another way"
    }

    private var allRefusals: [NetworkUse.Refusal] { network?.refusals ?? [] }
    private var refusalsLeftOut: UInt64 { network.map { $0.refusalsLeftOut - $0.alarmsLeftOut } ?? 0 }
    private var refusals: [NetworkUse.Refusal] { allRefusals.filter { !Self.isAlarm($0) } }

    private func line(_ refusal: NetworkUse.Refusal) -> String {
        let times = refusal.count == 1 ? "" : ", \(refusal.count) times"
        let remedy = refusal.remedy.map(Self.clause) ?? "nothing"
        let reason = refusal.rule.isAboutTarget ? "" : ": \(text(refusal.reason))"
        return paint(.yellow, "ACCESS DENIED") + ": connect to \(text(refusal.target))\(times) [\(refusal.rule)]"
            + "\(reason); what would allow it: \(text(remedy)); do not try another way"
    }

    /// A sentence as part of another.
    private static func clause(_ sentence: String) -> String {
        sentence.hasSuffix(".") ? String(sentence.dropLast()) : sentence
    }

    private func text(_ text: String) -> String { Printable.text(redactor.redact(text).text) }

    /// As it is said before what it was done to.
    static func verb(_ act: Denial.Act) -> String {
        switch act {
        case .execute: "execute"
        case .connect: "connect to"
        case .send: "send to"
        case .bind: "bind to"
        }
    }

    private func target(_ denial: Denial) -> String { redactor.redact(bytes: denial.target).text }

    var json: JSONValue {
        let list = observation.denials.map { denial in
            JSONValue.object([
                ("act", .string(denial.act.rawValue)), ("target", .string(target(denial))),
                ("rule", .string(denial.rule.rawValue)), ("allowed_by", .string(denial.rule.remedy.description)),
                ("count", .unsigned(denial.count)),
            ])
        }
        let refused = allRefusals.map { refusal in
            JSONValue.object([
                ("act", .string("connect")), ("target", .string(redactor.redact(refusal.target).text)),
                ("rule", .string(refusal.rule.rawValue)),
                ("reason", .string(redactor.redact(refusal.reason).text)),
                ("allowed_by", refusal.remedy.map { .string(redactor.redact($0).text) } ?? .null),
                ("count", .unsigned(refusal.count)),
            ])
        }
        return .object([
            ("count", .unsigned(observation.denialCount + (network?.refusalCount ?? 0))),
            ("list", .array(list + refused)),
            ("left_out", .unsigned(observation.denialsLeftOut + (network?.refusalsLeftOut ?? 0))),
        ])
    }
}
