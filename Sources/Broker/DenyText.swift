package import Domain
package import Egress

/// What a client gets to read when something is denied: that policy decided, by which rule, what would allow it, and
/// that other ways lead nowhere. It is written for people and for models alike.
package struct DenyText: Sendable {
    let decision: EgressDecision

    package init(_ decision: EgressDecision) { self.decision = decision }

    /// The field of an HTTP answer that names the rule.
    static let ruleField = "Bailey-Rule"

    private static let advice =
        "This is a decision and no fault of the network. Do not look for another way: every proxy, port, address and "
        + "name is judged by the same policy."

    /// Plain sentences, a line each.
    package var sentences: String {
        var lines = ["Denied by Bailey's policy: \(decision.reason).", "Rule: \(decision.rule)"]
        if let remedy = decision.remedy { lines.append("Allowed by: \(remedy)") }
        return (lines + [Self.advice]).joined(separator: "\n") + "\n"
    }

    /// The same for programs.
    package var json: JSONValue {
        .object([
            ("error", .string("denied_by_policy")), ("rule", .string(decision.rule.rawValue)),
            ("reason", .string(decision.reason)), ("remedy", decision.remedy.map(JSONValue.string) ?? .null),
            ("advice", .string(Self.advice)),
        ])
    }

    /// A body and its media type.
    ///
    /// - Parameter accepted: the Accept fields of the request; sentences, unless they ask for JSON.
    func body(accepted: some Sequence<String>) -> (type: String, bytes: [UInt8]) {
        guard accepted.contains(where: { $0.lowercased().contains("application/json") }) else {
            return ("text/plain; charset=utf-8", Array(sentences.utf8))
        }
        return ("application/json; charset=utf-8", json.bytes() + [UInt8(ascii: "\n")])
    }
}
