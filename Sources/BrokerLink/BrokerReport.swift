import Domain

/// What the broker tells the supervisor.
package enum BrokerReport: Sendable, Equatable {
    /// The settings that came last are in force, and this is the certificate of the run's own authority, PEM; empty
    /// where nothing is terminated.
    case settled(authority: String)
    /// It serves. With it, the walls around the broker itself that hold, by name.
    case ready(walls: [String])
    case record(ConnectionRecord)
    /// Of a request to a model, at once.
    case model(ModelReport)
    /// Records of refusals that found no room; what was let through is always told.
    case leftOut(UInt64)
    /// A login of the settings, by its place among the secrets, needs another token: it wants the file as it is now,
    /// and wants nobody else to renew it meanwhile.
    case loginStale(UInt16)
    /// The login was renewed: its file is to be written.
    case loginRenewed(UInt16, LoginTokens)
    /// Nothing is to be written; others may renew it.
    case loginSettled(UInt16)
    /// It cannot go on.
    case failed(String)
    /// It was told to end, and this is its last word: everything was told.
    case finished

    /// Also the size of a receiver's buffer: what is longer is refused by the kernel's own account.
    package static let bytesMax = 32 << 10
    static let authorityBytesMax = 16 << 10
    static let wallsMax = 32
    static let reasonBytesMax = 2048

    private enum Kind {
        static let settled: UInt8 = 1, ready: UInt8 = 2, record: UInt8 = 3, leftOut: UInt8 = 4, failed: UInt8 = 5
        static let finished: UInt8 = 6, model: UInt8 = 7
        static let loginStale: UInt8 = 20, loginRenewed: UInt8 = 21, loginSettled: UInt8 = 22
    }

    /// A kind, then JSON.
    package var bytes: [UInt8] {
        switch self {
        case .settled(let authority): [Kind.settled] + JSONValue.string(authority).bytes()
        case .ready(let walls): [Kind.ready] + JSONValue.array(walls.map { .string($0) }).bytes()
        case .record(let record): [Kind.record] + record.json.bytes()
        case .model(let report): [Kind.model] + report.json.bytes()
        case .leftOut(let count): [Kind.leftOut] + JSONValue.unsigned(count).bytes()
        case .loginStale(let place): [Kind.loginStale] + JSONValue.unsigned(UInt64(place)).bytes()
        case .loginRenewed(let place, let tokens):
            Self.bytes(place, tokens)
        case .loginSettled(let place): [Kind.loginSettled] + JSONValue.unsigned(UInt64(place)).bytes()
        case .failed(let reason): [Kind.failed] + JSONValue.string(reason.cut(Self.reasonBytesMax)).bytes()
        case .finished: [Kind.finished] + JSONValue.null.bytes()
        }
    }

    /// Nil for what is no report. The broker holds what strangers sent, so nothing that it says is believed unread.
    package init?(_ bytes: [UInt8]) {
        guard let kind = bytes.first, bytes.count <= Self.bytesMax else { return nil }
        if kind == Kind.loginRenewed {
            let read = bytes.withUnsafeBytes { LoginTokens.read(UnsafeRawBufferPointer(rebasing: $0.dropFirst())) }
            guard let (place, tokens) = read else { return nil }
            self = .loginRenewed(place, tokens)
            return
        }
        guard let value = try? JSONParser.parse(bytes.dropFirst()) else { return nil }
        switch kind {
        case Kind.settled:
            guard let text = value.stringValue, text.utf8.count <= Self.authorityBytesMax else { return nil }
            self = .settled(authority: text)
        case Kind.ready:
            guard let items = value.arrayValue, items.count <= Self.wallsMax else { return nil }
            var walls: [String] = []
            for item in items {
                guard let name = item.stringValue, RuleID(told: name) != nil else { return nil }
                walls.append(name)
            }
            self = .ready(walls: walls)
        case Kind.record:
            guard let record = ConnectionRecord(value) else { return nil }
            self = .record(record)
        case Kind.model:
            guard let report = ModelReport(value) else { return nil }
            self = .model(report)
        case Kind.leftOut:
            // It is summed up, and no sum may overflow.
            guard let count = value.unsignedValue, count <= UInt64(UInt32.max) else { return nil }
            self = .leftOut(count)
        case Kind.loginStale, Kind.loginSettled:
            guard let place = Self.place(value) else { return nil }
            self = kind == Kind.loginStale ? .loginStale(place) : .loginSettled(place)
        case Kind.failed:
            guard let reason = value.stringValue, reason.utf8.count <= Self.reasonBytesMax else { return nil }
            self = .failed(reason)
        case Kind.finished where value == .null: self = .finished
        default: return nil
        }
    }

    private static func bytes(_ place: UInt16, _ tokens: LoginTokens) -> [UInt8] {
        var bytes = [Kind.loginRenewed]
        tokens.write(place, to: &bytes)
        return bytes
    }

    private static func place(_ value: JSONValue) -> UInt16? { value.unsignedValue.flatMap { UInt16(exactly: $0) } }
}

extension String {
    /// The text, cut between characters so that it has at most this many bytes.
    func cut(_ bytesMax: Int) -> String {
        if utf8.count <= bytesMax { return self }
        var text = ""
        var bytes = 0
        for character in self {
            bytes += character.utf8.count
            if bytes > bytesMax { break }
            text.append(character)
        }
        return text
    }
}
