package import NIOCore
package import NIOHPACK

/// Reads one answer of a server in HTTP/2, strictly, from the frames of its stream. It is total: every frame is read or
/// refused, and after a refusal nothing more is read.
package struct HTTP2AnswerReader {
    package enum Part: Equatable {
        case head(ResponseHead)
        case body(ByteBuffer)
        /// The answer is over; what followed its body.
        case end(HTTPFields)
    }

    private enum State { case head, body, over }

    private let method: String
    private let fieldsMax: Int
    private var state = State.head
    /// Bytes of the body that are missing; nil where the head does not say how many there are.
    private var missing: UInt64?

    /// - Parameter method: of the request that is answered.
    package init(answering method: String, fieldsMax: Int) {
        self.method = method
        self.fieldsMax = fieldsMax
    }

    /// True when the answer is whole, or refused.
    package var isOver: Bool { state == .over }

    /// - Returns: one part, and behind it the end, where the frame is the last one.
    package mutating func take(_ block: HPACKHeaders, isLast: Bool) throws(HTTPRefusal) -> [Part] {
        do throws(HTTPRefusal) {
            switch state {
            case .head: return try begin(block, isLast)
            case .body:
                guard isLast else { throw refusal("http-syntax", "the answer begins twice") }
                let trailers = try HTTP2Fields.readTrailers(block, 502, fieldsMax)
                return [try end(trailers)]
            case .over: throw refusal("http-framing", "the answer goes on behind its end")
            }
        } catch {
            state = .over
            throw error
        }
    }

    package mutating func take(_ bytes: ByteBuffer, isLast: Bool) throws(HTTPRefusal) -> [Part] {
        do throws(HTTPRefusal) {
            guard state == .body else {
                throw refusal("http-framing", "the answer's body stands before its head, or behind its end")
            }
            var parts: [Part] = []
            if bytes.readableBytes > 0 {
                if let missing {
                    guard missing >= UInt64(bytes.readableBytes) else {
                        throw refusal("http-framing", "the answer's body is longer than its head says")
                    }
                    self.missing = missing - UInt64(bytes.readableBytes)
                }
                parts.append(.body(bytes))
            }
            if isLast { parts.append(try end(HTTPFields())) }
            return parts
        } catch {
            state = .over
            throw error
        }
    }

    private mutating func end(_ trailers: HTTPFields) throws(HTTPRefusal) -> Part {
        guard (missing ?? 0) == 0 else {
            throw refusal("http-framing", "the answer's body is shorter than its head says")
        }
        state = .over
        return .end(trailers)
    }

    private mutating func begin(_ block: HPACKHeaders, _ isLast: Bool) throws(HTTPRefusal) -> [Part] {
        let read = try HTTP2Fields.read(block, 502, fieldsMax)
        guard read.pseudo.count == 1, let text = read.pseudo[":status"], text.utf8.count == 3,
            let number = HTTPSyntax.decimal(text.utf8), (100...599).contains(number)
        else { throw refusal("http-syntax", "the answer has no status, or more than a status before its fields") }
        let status = Int(number)
        guard status != 101 else { throw refusal("http-upgrade", "HTTP/2 switches to no other protocol") }
        let length = try Self.length(read.fields)
        guard status >= 200 else {
            guard !isLast else { throw refusal("http-framing", "the answer ends before it begins") }
            let head = ResponseHead(status: status, reason: "", fields: Connection.cleansed(read.fields), body: .none)
            return [.head(head)]
        }
        let hasNoBody = method == "HEAD" || status == 204 || status == 304
        let body: BodyLength = hasNoBody ? .none : isLast ? .bytes(0) : length.map { .bytes($0) } ?? .open
        missing = hasNoBody ? 0 : length
        state = .body
        let head = ResponseHead(status: status, reason: "", fields: Connection.cleansed(read.fields), body: body)
        return isLast ? [.head(head), try end(HTTPFields())] : [.head(head)]
    }

    private static func length(_ fields: HTTPFields) throws(HTTPRefusal) -> UInt64? {
        let lengths = fields.values("content-length")
        guard lengths.count < 2 else {
            throw HTTPRefusal(502, "http-framing", "the body's length stands twice")
        }
        guard let text = lengths.first else { return nil }
        guard let length = HTTPSyntax.decimal(text.utf8) else {
            throw HTTPRefusal(502, "http-framing", "the body's length is no decimal number")
        }
        return length
    }

    private func refusal(_ rule: StaticString, _ reason: String) -> HTTPRefusal { HTTPRefusal(502, rule, reason) }
}
