import Domain
import Redaction

/// What a run says at its end of what was refused: one line each, however often it was tried.
struct DenialReport {
    /// Lines that are printed; the record holds more.
    private static let linesMax = 20

    let observation: Observation
    let redactor: Redactor

    func remark(_ console: Console, run: RunID) {
        for denial in observation.denials.prefix(Self.linesMax) { console.remark(line(denial)) }
        let rest = observation.denials.dropFirst(Self.linesMax).reduce(observation.denialsLeftOut) { $0 + $1.count }
        if rest > 0 { console.remark("ACCESS DENIED: \(rest) more refused calls; see: bailey runs show \(run)") }
    }

    private func line(_ denial: Denial) -> String {
        let times = denial.count == 1 ? "" : ", \(denial.count) times"
        let call = "\(Self.verb(denial.act)) \(Printable.text(target(denial)))"
        return "ACCESS DENIED: \(call)\(times) [\(denial.rule.rawValue)]; "
            + "what would allow it: \(denial.rule.remedy); do not try another way"
    }

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
        return .object([
            ("count", .unsigned(observation.denialCount)), ("list", .array(list)),
            ("left_out", .unsigned(observation.denialsLeftOut)),
        ])
    }
}
