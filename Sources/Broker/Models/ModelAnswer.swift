import Domain
import Egress

extension OwnAnswer {
    /// A request to a model was refused: in the form in which the service itself would say it, since that is what its
    /// clients show. Of the statuses, 400 is the one that every client takes for the last word.
    static func refusedModel(_ refusal: EgressRefusal, _ dialect: ModelDialect, status: Int = 400) -> OwnAnswer {
        let text = DenyText(EgressDecision(refusal)).sentences
        let sentences = text.split(separator: "\n").map { $0.hasSuffix(".") ? String($0) : $0 + "." }
        let message = JSONValue.string(sentences.joined(separator: " "))
        let error: JSONValue =
            switch dialect {
            case .messages:
                .object([
                    ("type", .string("error")),
                    ("error", .object([("type", .string("invalid_request_error")), ("message", message)])),
                ])
            case .chat, .responses:
                .object([
                    (
                        "error",
                        .object([
                            ("message", message), ("type", .string("invalid_request_error")), ("param", .null),
                            ("code", .string(refusal.rule.rawValue)),
                        ])
                    )
                ])
            }
        return OwnAnswer(
            status,
            type: "application/json",
            rule: refusal.rule.rawValue,
            error.bytes(),
            further: [HTTPField("X-Should-Retry", "false")]
        )
    }
}
