package import Domain
package import Egress

/// What a client gets to read when a connection is denied: that policy decided, by which rule, what would allow it, and
/// that other ways lead nowhere. It is written for people and for models alike.
package struct DenyAnswer: Sendable {
    private let rule: RuleID
    private let reason: String
    private let remedy: String?

    package init(_ decision: EgressDecision) {
        (rule, reason, remedy) = (decision.rule, decision.reason, decision.remedy)
    }

    package init(_ refusal: EgressRefusal) { self.init(EgressDecision(refusal)) }

    private static let advice =
        "This is a decision and no fault of the network. Do not look for another way: every proxy, port, address and "
        + "name is judged by the same policy."

    /// The answer in plain sentences, a line each.
    package var text: String {
        var lines = ["Denied by Bailey's policy: \(reason).", "Rule: \(rule)"]
        if let remedy { lines.append("Allowed by: \(remedy)") }
        return (lines + [Self.advice]).joined(separator: "\n") + "\n"
    }

    /// The same for programs.
    package var json: JSONValue {
        .object([
            ("error", .string("denied_by_policy")), ("rule", .string(rule.rawValue)), ("reason", .string(reason)),
            ("remedy", remedy.map(JSONValue.string) ?? .null), ("advice", .string(Self.advice)),
        ])
    }

    /// An HTTP/1.1 response; the connection ends with it.
    ///
    /// - Parameter status: such as 403. Its phrase holds the rule, which is all that some clients show.
    package func http(status: Int = 403, wantsJSON: Bool = false) -> [UInt8] {
        let phrase = status == 403 ? "Denied by policy (\(rule))" : "Refused (\(rule))"
        let body = wantsJSON ? json.bytes() + [UInt8(ascii: "\n")] : Array(text.utf8)
        return Self.response(status, phrase, type: wantsJSON ? "application/json" : "text/plain", rule: rule, body)
    }

    /// The response where nothing was denied and nobody answered.
    package static func unreachable(_ reason: String, status: Int = 502) -> [UInt8] {
        let text = "Bailey's policy allows this connection, but it could not be made: \(reason).\n"
        return response(status, "Unreachable", type: "text/plain", rule: nil, Array(text.utf8))
    }

    private static func response(
        _ status: Int,
        _ phrase: String,
        type: String,
        rule: RuleID?,
        _ body: [UInt8]
    ) -> [UInt8] {
        var head = "HTTP/1.1 \(status) \(phrase)\r\nContent-Type: \(type); charset=utf-8\r\n"
        head += "Content-Length: \(body.count)\r\nCache-Control: no-store\r\nConnection: close\r\n"
        if let rule { head += "X-Bailey-Rule: \(rule)\r\n" }
        return Array((head + "\r\n").utf8) + body
    }
}

/// The answer to a client of which only its first byte is known: it speaks to a server, and knows of no proxy.
package enum PlainAnswer {
    /// An alert for TLS, a response for what may be HTTP, and nothing for anything else.
    package static func bytes(_ refusal: EgressRefusal, first: UInt8?) -> [UInt8]? {
        switch first {
        case ClientHello.handshakeRecord: alert(refusal)
        case .some(UInt8(ascii: "A")...UInt8(ascii: "Z")): DenyAnswer(refusal).http()
        default: nil
        }
    }

    /// A fatal alert: access_denied, or unrecognized_name where the name is what was refused.
    private static func alert(_ refusal: EgressRefusal) -> [UInt8] {
        let code: UInt8 = refusal.rule.rawValue.hasPrefix("tls-name") ? 112 : 49
        return [0x15, 3, 3, 0, 2, 2, code]
    }
}
