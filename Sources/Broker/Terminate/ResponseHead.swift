import Domain
import Egress
import NIOCore

/// The head of an answer as it goes on to the client.
package struct ResponseHead: Hashable, Sendable {
    package var status: Int
    package var reason: String
    /// Only what belongs to the whole way.
    package var fields: HTTPFields
    package var body: BodyLength
    /// The connection ends after it, where that is HTTP/1.
    package var isLast = false

    /// True where another answer follows.
    package var isInformational: Bool { status < 200 }

    init(status: Int, reason: String, fields: HTTPFields, body: BodyLength) {
        self.status = status
        self.reason = reason
        self.fields = fields
        self.body = body
    }

    /// From what a server wrote in HTTP/1.
    init(_ head: HTTP1Head) throws(HTTPRefusal) {
        guard case .response(let status, let reason) = head.line else {
            throw HTTPRefusal(502, "http-syntax", "a request stands where an answer belongs")
        }
        self.init(status: status, reason: reason, fields: Connection.cleansed(head.fields), body: head.body)
    }
}

/// An answer of the broker's own: to a request that policy refuses, that is no request, or that nobody answered.
struct OwnAnswer {
    var head: ResponseHead
    var body: ByteBuffer

    private static let reasons = [
        200: "OK", 400: "Bad Request", 403: "Forbidden", 405: "Method Not Allowed", 408: "Request Timeout",
        413: "Content Too Large", 417: "Expectation Failed", 421: "Misdirected Request", 426: "Upgrade Required",
        431: "Request Header Fields Too Large", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout",
        505: "HTTP Version Not Supported",
    ]

    init(_ status: Int, type: String, rule: String, _ bytes: some Sequence<UInt8>, further: [HTTPField] = []) {
        body = ByteBuffer(bytes: bytes)
        let fields = HTTPFields(
            [
                HTTPField("Content-Type", type), HTTPField("Cache-Control", "no-store"),
                HTTPField(DenyText.ruleField, rule), HTTPField("Content-Length", String(body.readableBytes)),
            ] + further
        )
        let length = UInt64(body.readableBytes)
        head = ResponseHead(
            status: status,
            reason: Self.reasons[status] ?? "Refused",
            fields: fields,
            body: length == 0 ? .none : .bytes(length)
        )
    }

    /// Policy decided against a request.
    static func denied(_ decision: EgressDecision, to request: RequestHead) -> OwnAnswer {
        let body = DenyText(decision).body(accepted: request.fields.values("accept"))
        // Clients that could ask without a WebSocket as well, as those of models can, do so at once when they hear
        // this.
        let isSocketAlone = request.isWebSocket && decision.rule == CredentialRules.socket
        return OwnAnswer(isSocketAlone ? 426 : 403, type: body.type, rule: decision.rule.rawValue, body.bytes)
    }

    /// Policy decided against a push: git shows the sentence of an advertisement, and nothing of another answer's body.
    static func deniedPush(_ decision: EgressDecision) -> OwnAnswer {
        let sentence = "Bailey refused this push: \(decision.reason). \(decision.remedy ?? "")"
        let text = packet("# service=git-receive-pack\n") + "0000" + packet("ERR " + sentence + "\n")
        let type = "application/x-git-receive-pack-advertisement"
        return OwnAnswer(200, type: type, rule: decision.rule.rawValue, text.utf8)
    }

    /// A request could not be passed on, or was not answered; policy had no part in it.
    static func failed(_ status: Int, rule: String, _ reason: String) -> OwnAnswer {
        let text = "Bailey could not pass this request on: \(reason).\nRule: \(rule)\n"
        return OwnAnswer(status, type: "text/plain; charset=utf-8", rule: rule, text.utf8)
    }

    /// A line of git's protocol: its length in four hexadecimal digits, then its bytes.
    private static func packet(_ text: String) -> String {
        let length = String(text.utf8.count + 4, radix: 16)
        return String(repeating: "0", count: max(0, 4 - length.count)) + length + text
    }
}
