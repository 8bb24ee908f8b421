import Domain
package import Egress

/// The answer of a door, an HTTP/1.1 response with which the connection ends.
package enum DenyAnswer {
    /// - Parameters:
    ///   - status: such as 403. Its phrase holds the rule, which is all that some clients show.
    ///   - accepted: the Accept fields of the request.
    package static func http(_ refusal: EgressRefusal, status: Int = 403, accepted: [String] = []) -> [UInt8] {
        let phrase = status == 403 ? "Denied by policy (\(refusal.rule))" : "Refused (\(refusal.rule))"
        let body = DenyText(EgressDecision(refusal)).body(accepted: accepted)
        return response(status, phrase, type: body.type, rule: refusal.rule, body.bytes)
    }

    /// The response where nothing was denied and nobody answered.
    package static func unreachable(_ reason: String, status: Int = 502) -> [UInt8] {
        let text = "Bailey's policy allows this connection, but it could not be made: \(reason).\n"
        return response(status, "Unreachable", type: "text/plain; charset=utf-8", rule: nil, Array(text.utf8))
    }

    private static func response(
        _ status: Int,
        _ phrase: String,
        type: String,
        rule: RuleID?,
        _ body: [UInt8]
    ) -> [UInt8] {
        var head = "HTTP/1.1 \(status) \(phrase)\r\nContent-Type: \(type)\r\n"
        head += "Content-Length: \(body.count)\r\nCache-Control: no-store\r\nConnection: close\r\n"
        if let rule { head += "\(DenyText.ruleField): \(rule)\r\n" }
        return Array((head + "\r\n").utf8) + body
    }
}

/// The answer to a client of which only its first byte is known: it speaks to a server, and knows of no proxy.
package enum PlainAnswer {
    /// An alert for TLS, a response for what may be HTTP, and nothing for anything else.
    package static func bytes(_ refusal: EgressRefusal, first: UInt8?) -> [UInt8]? {
        switch first {
        case ClientHello.handshakeRecord: alert(refusal)
        case .some(UInt8(ascii: "A")...UInt8(ascii: "Z")): DenyAnswer.http(refusal)
        default: nil
        }
    }

    /// A fatal alert: access_denied, or unrecognized_name where the name is what was refused.
    private static func alert(_ refusal: EgressRefusal) -> [UInt8] {
        let code: UInt8 = refusal.rule.rawValue.hasPrefix("tls-name") ? 112 : 49
        return [0x15, 3, 3, 0, 2, 2, code]
    }
}
