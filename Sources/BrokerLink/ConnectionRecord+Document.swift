package import Domain
import Egress

/// A record as JSON, on its way from the broker to the supervisor.
extension ConnectionRecord {
    static let hostBytesMax = 300
    static let textBytesMax = 1024
    /// Longer times are none that a run can have.
    private static let secondsMax = 1e9

    package var json: JSONValue {
        .object([
            ("door", .string(door.rawValue)), ("host", .string(host.cut(Self.hostBytesMax))),
            ("port", .unsigned(UInt64(port))), ("address", address.map { .string("\($0)") } ?? .null),
            ("treatment", .string(treatment.rawValue)), ("verdict", .string(verdict.rawValue)),
            ("rule", .string(rule.rawValue)), ("reason", .string(reason.cut(Self.textBytesMax))),
            ("allowed_by", Self.text(remedy)), ("request", Self.text(request)), ("bytes_out", .unsigned(bytesOut)),
            ("bytes_in", .unsigned(bytesIn)), ("began_microseconds", .unsigned(Self.microseconds(beganSeconds))),
            ("microseconds", .unsigned(Self.microseconds(seconds))), ("ending", Self.text(ending)),
        ])
    }

    /// Nil for what is no such object.
    package init?(_ value: JSONValue) {
        guard let door = Door(rawValue: value["door"]?.stringValue ?? ""),
            let host = value["host"]?.stringValue, host.utf8.count <= Self.hostBytesMax,
            let port = value["port"]?.unsignedValue.flatMap({ UInt16(exactly: $0) }),
            let treatment = Treatment(rawValue: value["treatment"]?.stringValue ?? ""),
            let verdict = Verdict(rawValue: value["verdict"]?.stringValue ?? ""),
            let rule = RuleID(told: value["rule"]?.stringValue ?? ""),
            let reason = value["reason"]?.stringValue, reason.utf8.count <= Self.textBytesMax,
            let bytesOut = value["bytes_out"]?.unsignedValue, let bytesIn = value["bytes_in"]?.unsignedValue,
            let began = value["began_microseconds"]?.unsignedValue, let took = value["microseconds"]?.unsignedValue,
            let remedy = Self.text(value["allowed_by"]), let request = Self.text(value["request"]),
            let ending = Self.text(value["ending"]), let address = Self.address(value["address"])
        else { return nil }
        let decision = EgressDecision(EgressRefusal(rule, reason, remedy: remedy))
        self.init(
            door: door,
            host: host,
            port: port,
            treatment: treatment,
            decision: decision,
            beganSeconds: Double(began) / 1e6
        )
        self.verdict = verdict
        self.address = address
        self.request = request
        self.bytesOut = bytesOut
        self.bytesIn = bytesIn
        self.seconds = Double(took) / 1e6
        self.ending = ending
    }

    private static func text(_ text: String?) -> JSONValue { text.map { .string($0.cut(textBytesMax)) } ?? .null }

    /// Nil where neither a text of a bounded length nor null stands; the inner nil is null.
    private static func text(_ value: JSONValue?) -> String?? {
        switch value {
        case .null: .some(nil)
        case .string(let text) where text.utf8.count <= textBytesMax: .some(text)
        default: nil
        }
    }

    private static func address(_ value: JSONValue?) -> IPAddress?? {
        switch value {
        case .null: .some(nil)
        case .string(let text): IPAddress(text).map { .some($0) }
        default: nil
        }
    }

    private static func microseconds(_ seconds: Double) -> UInt64 {
        seconds.isFinite ? UInt64((min(max(seconds, 0), secondsMax) * 1e6).rounded()) : 0
    }
}
