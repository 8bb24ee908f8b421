import Domain
import Policy

/// What a person asks of a run that lives: that it may reach more, or less. JSON, one packet.
struct GrantRequest {
    enum Verb: String { case allow, revoke }

    /// More in one request are none that a person writes; they fit a packet with every escape.
    static let entriesMax = 32
    private static let entryBytesMax = 1024

    let verb: Verb
    /// As in `network: allow`.
    let entries: [String]
    /// How long what is allowed stays so; nil for as long as the run lives.
    let milliseconds: UInt64?

    init(_ verb: Verb, _ entries: [String], milliseconds: UInt64? = nil) {
        self.verb = verb
        self.entries = entries
        self.milliseconds = milliseconds
    }

    /// Nil for what is no request.
    init?(_ bytes: [UInt8]) {
        guard let value = try? JSONParser.parse(bytes), let verb = value["verb"]?.stringValue.flatMap(Verb.init),
            let items = value["entries"]?.arrayValue, (1...Self.entriesMax).contains(items.count),
            let time = value["milliseconds"]
        else { return nil }
        let entries = items.compactMap(\.stringValue).filter { $0.utf8.count <= Self.entryBytesMax }
        guard entries.count == items.count else { return nil }
        self.verb = verb
        self.entries = entries
        if case .null = time {
            milliseconds = nil
        } else {
            guard verb == .allow, let number = time.unsignedValue, (1...DurationText.millisecondsMax).contains(number)
            else { return nil }
            milliseconds = number
        }
    }

    var bytes: [UInt8] {
        JSONValue.object([
            ("verb", .string(verb.rawValue)), ("entries", .array(entries.map { .string($0) })),
            ("milliseconds", milliseconds.map { .unsigned($0) } ?? .null),
        ]).bytes()
    }
}

/// What the run answers.
enum GrantAnswer {
    /// It is so from now on.
    case done
    /// Nothing changed.
    case refused(reason: String, remedy: String?)

    init?(_ bytes: [UInt8]) {
        guard let value = try? JSONParser.parse(bytes) else { return nil }
        if case .bool(true) = value["done"] {
            self = .done
        } else {
            guard let reason = value["reason"]?.stringValue else { return nil }
            self = .refused(reason: reason, remedy: value["remedy"]?.stringValue)
        }
    }

    var bytes: [UInt8] {
        switch self {
        case .done: JSONValue.object([("done", .bool(true))]).bytes()
        case .refused(let reason, let remedy):
            JSONValue.object([
                ("done", .bool(false)), ("reason", .string(reason)),
                ("remedy", remedy.map { .string($0) } ?? .null),
            ]).bytes()
        }
    }
}
