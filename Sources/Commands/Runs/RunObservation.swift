import Domain
import Journal

/// What a run's journal says was seen of its processes, and what was refused.
struct RunObservation {
    /// Nil where nothing was recorded: the command has not ended, or never began.
    private(set) var state: String?
    private(set) var code: Int64?
    /// Objects as the journal holds them, in the order of their first execution.
    private(set) var processes: [JSONValue] = []
    private(set) var processesLeftOut: Int64 = 0
    /// Kept processes of which it is not known how they ended.
    private(set) var endingsUnknown: Int64 = 0
    private(set) var denials: [JSONValue] = []
    private(set) var denialsLeftOut: Int64 = 0

    init(lines: [JournalLine]) {
        for line in lines {
            switch RecordType(rawValue: line.type) {
            case .commandObserved:
                state = line.data["observation"]?.stringValue
                code = line.data["code"]?.integerValue
                processes += line.data["processes"]?.arrayValue ?? []
                processesLeftOut = line.data["processes_left_out"]?.integerValue ?? 0
                endingsUnknown = line.data["endings_unknown"]?.integerValue ?? 0
                denialsLeftOut = line.data["denials_left_out"]?.integerValue ?? 0
            case .accessDenied: denials.append(line.data)
            default: break
            }
        }
    }

    var json: JSONValue {
        .object([
            ("state", state.map { .string($0) } ?? .null), ("code", code.map { .integer($0) } ?? .null),
            ("processes", .array(processes)), ("processes_left_out", .integer(processesLeftOut)),
            ("endings_unknown", .integer(endingsUnknown)),
            ("denials", .array(denials)), ("denials_left_out", .integer(denialsLeftOut)),
        ])
    }

    /// One line for each denial, for a person.
    var denialLines: [String] {
        denials.map { denial in
            func text(_ name: String) -> String { Printable.text(denial[name]?.stringValue ?? "?") }
            let count = denial["count"]?.integerValue ?? 1
            let act = denial["act"]?.stringValue.flatMap(Denial.Act.init).map(DenialReport.verb) ?? text("act")
            return "\(act) \(text("target"))" + (count > 1 ? ", \(count) times" : "") + " [\(text("rule"))]"
                + (denial["allowed_by"]?.stringValue.map { "; what would allow it: " + Printable.text($0) } ?? "")
        }
    }
}
