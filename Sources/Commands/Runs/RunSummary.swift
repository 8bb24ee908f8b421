import Domain
import Files
import Journal
import Workspace

/// What a run's journal says of it, read back line by line: the journal is the only truth.
struct RunSummary {
    enum State: String {
        case running, held, applied, discarded, finished, failed, interrupted
    }

    let run: RunID
    private(set) var created = ""
    private(set) var command: [String] = []
    private(set) var state = State.running
    private(set) var exitCode: Int64?
    private(set) var signal: Int64?
    private(set) var cause: String?
    /// The change set that the journal speaks of.
    private(set) var digest: Digest?
    /// The change set whose apply began and did not end.
    private(set) var applying: Digest?
    private(set) var counts: ChangeSet.Counts?
    private(set) var error: String?
    private(set) var wallMilliseconds: Int64?

    /// - Parameter isLive: whether a process holds the run.
    init(_ run: RunID, lines: [JournalLine], isLive: Bool) {
        self.run = run
        for line in lines { take(line) }
        if state == .running, !isLive { state = .interrupted }
    }

    private mutating func take(_ line: JournalLine) {
        switch RecordType(rawValue: line.type) {
        case .runCreated:
            created = line.timestamp
            command = line.data["command"]?.arrayValue?.compactMap(\.stringValue) ?? []
        case .commandExited:
            exitCode = line.data["exit_code"]?.integerValue
            signal = line.data["signal"]?.integerValue
            cause = line.data["cause"]?.stringValue
            wallMilliseconds = line.data["wall_milliseconds"]?.integerValue
        case .changesRecorded:
            counts = Self.counts(line)
            digest = Self.digest(line)
            state = .held
        case .applyStarted:
            digest = Self.digest(line)
            applying = digest
        case .liveChangesChecked:
            counts = Self.counts(line)
        case .applyRolledBack:
            state = .held
            applying = nil
        case .changesApplied:
            state = .applied
            applying = nil
        case .changesDiscarded: state = .discarded
        case .runCompleted: if state == .running || state == .held { state = .finished }
        case .runFailed:
            state = .failed
            error = line.data["error"]?.stringValue
        default: break
        }
    }

    private static func counts(_ line: JournalLine) -> ChangeSet.Counts {
        func count(_ name: String) -> Int64 { line.data[name]?.integerValue ?? 0 }
        return ChangeSet.Counts(created: count("created"), changed: count("changed"), deleted: count("deleted"))
    }

    private static func digest(_ line: JournalLine) -> Digest? {
        line.data["digest"]?.stringValue.flatMap { Digest(hex: $0) }
    }

    /// How the command ended, in a word.
    var ending: String {
        if let cause { return "killed: " + cause }
        if let exitCode { return "exit \(exitCode)" }
        if let signal { return "signal \(signal)" }
        return "-"
    }

    var json: JSONValue {
        .object([
            ("run", .string(run.rawValue)), ("created", .string(created)), ("state", .string(state.rawValue)),
            ("command", .array(command.map { .string($0) })),
            ("exit_code", exitCode.map { .integer($0) } ?? .null), ("signal", signal.map { .integer($0) } ?? .null),
            ("was_killed", .bool(cause != nil)), ("cause", cause.map { .string($0) } ?? .null),
            ("wall_milliseconds", wallMilliseconds.map { .integer($0) } ?? .null),
            (
                "changes",
                counts.map { .object($0.json) } ?? .null
            ),
            ("error", error.map { .string($0) } ?? .null),
        ])
    }
}
