import Domain
import Journal

/// What a run's journal says of its circumstances, its network and its end, beside what ``RunSummary`` and
/// ``RunObservation`` tell.
struct RunFacts {
    /// What was refused on the network: each kind once.
    struct RefusedConnection {
        let target: String
        let rule: String
        let reason: String
        let remedy: String?
        var count: UInt64
    }

    /// What stood in the record of the new run; null where there is none.
    private(set) var created = JSONValue.null
    /// What stood in the record of the command's end; null where it has not ended.
    private(set) var ended = JSONValue.null
    /// The sums of the network; null for a run without one, or whose network has not ended.
    private(set) var network = JSONValue.null
    private(set) var refused: [RefusedConnection] = []
    private(set) var alarms: [RunAlarm] = []
    private(set) var verdict: String?
    /// What the gate said of paths, and paths that were changed meanwhile by others.
    private(set) var findings: [JSONValue] = []
    private(set) var conflicts: [JSONValue] = []
    let hosts: HostTally
    /// Nil for a run that had no provider of models.
    let models: ModelUse?

    /// Kinds of refusals that are told apart.
    private static let refusedMax = 1000

    init(lines: [JournalLine]) {
        hosts = HostTally(lines: lines)
        models = RunModels(lines: lines).use
        for line in lines { take(line) }
    }

    private mutating func take(_ line: JournalLine) {
        if let alarm = RunAlarm(line) {
            alarms.append(alarm)
            return
        }
        switch RecordType(rawValue: line.type) {
        case .runCreated: created = line.data
        case .commandExited: ended = line.data
        case .networkEnded: network = line.data
        case .connectionRefused: takeRefusal(line.data)
        case .changesRecorded, .liveChangesChecked:
            verdict = line.data["verdict"]?.stringValue
            findings = line.data["findings"]?.arrayValue ?? []
            conflicts = line.data["conflicts"]?.arrayValue ?? []
        default: break
        }
    }

    private mutating func takeRefusal(_ data: JSONValue) {
        let host = data["host"]?.stringValue ?? "?"
        let port = data["port"]?.unsignedValue ?? 0
        let isName = data["door"]?.stringValue == "names"
        let target = isName ? host : "\(host):\(port)"
        let rule = data["rule"]?.stringValue ?? "?"
        if let known = refused.firstIndex(where: { $0.target == target && $0.rule == rule }) {
            refused[known].count += 1
        } else if refused.count < Self.refusedMax {
            let reason = data["reason"]?.stringValue ?? "it was refused"
            let remedy = data["allowed_by"]?.stringValue
            refused.append(RefusedConnection(target: target, rule: rule, reason: reason, remedy: remedy, count: 1))
        }
    }

    /// The members of the page in JSON.
    var json: [(String, JSONValue)] {
        func member(_ name: String) -> (String, JSONValue) { (name, created[name] ?? .null) }
        let refusals = refused.map { refusal in
            JSONValue.object([
                ("target", .string(refusal.target)), ("rule", .string(refusal.rule)),
                ("reason", .string(refusal.reason)),
                ("allowed_by", refusal.remedy.map { .string($0) } ?? .null), ("count", .unsigned(refusal.count)),
            ])
        }
        let alarmed = alarms.map { alarm in
            JSONValue.object([
                ("host", .string(alarm.host)), ("rule", .string(alarm.rule)), ("reason", .string(alarm.reason)),
            ])
        }
        return [
            member("working_directory"), member("engine"), member("workspace"), member("limits"), member("network"),
            member("recipe"), member("secrets"),
            ("layers", ended["layers"] ?? .null), ("held_by", ended["held_by"] ?? .null),
            ("cpu_milliseconds", ended["cpu_milliseconds"] ?? .null),
            ("peak_memory_bytes", ended["peak_memory_bytes"] ?? .null),
            ("refused_connections", .array(refusals)), ("alarms", .array(alarmed)),
            ("verdict", verdict.map { .string($0) } ?? .null), ("findings", .array(findings)),
            ("conflicts", .array(conflicts)), ("models", models.map(\.json) ?? .null),
        ] + hosts.json
    }
}
