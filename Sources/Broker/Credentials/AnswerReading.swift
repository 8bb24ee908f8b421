import Domain
import Egress
import NIOCore

/// Looks through the answer to a request that carried a secret, or that is metered, or to whose host a secret is bound,
/// before anything of it goes on.
struct AnswerReading {
    private static let encoding = RuleID("credential-encoding")
    private static let partial = RuleID("credential-partial")

    /// Fields that speak of the bytes as they came.
    private static let ofCoding: Set<String> = [
        "content-encoding", "content-length", "content-md5", "digest", "content-digest", "repr-digest",
    ]

    private let target: String
    /// None where no secret is bound to the host.
    private let needles: [NeedleSet]
    /// What one lets through comes to the next.
    private var scanners: [NeedleScanner]
    private var decoder: BodyDecoder?

    /// - Parameter needles: what must not come in.
    init(_ needles: [NeedleSet], target: ConnectTarget) {
        self.needles = needles
        self.target = target.description
        scanners = needles.map { NeedleScanner($0) }
    }

    /// Asks for an answer that is whole and not encoded: in parts of one, a secret could come in pieces.
    static func ask(_ request: inout RequestHead) {
        request.fields.removeSpellings(of: ["accept-encoding", "range", "if-range"])
        request.fields.append("Accept-Encoding", "identity")
    }

    /// - Returns: the head as it goes on.
    mutating func take(_ head: ResponseHead) throws(EgressRefusal) -> ResponseHead {
        try check([head.reason])
        try check(head.fields)
        guard !head.isInformational else { return head }
        let isPartial =
            head.status == 206
            || head.fields.values("content-type").contains { $0.lowercased().hasPrefix("multipart/byteranges") }
        guard needles.isEmpty || !isPartial else { throw refusePart() }
        return try decoded(head)
    }

    /// - Returns: what goes on.
    mutating func take(_ bytes: ByteBuffer) throws(EgressRefusal) -> ByteBuffer {
        var bytes = bytes
        if let decoder {
            do throws(BodyDecoder.Flaw) { bytes = try decoder.take(bytes) } catch { throw refuseCoding(error.reason) }
        }
        for index in scanners.indices {
            guard let going = scanners[index].take(bytes) else { throw refuseReflection() }
            bytes = going
        }
        return bytes
    }

    /// - Returns: what was held back.
    mutating func end(_ trailers: HTTPFields) throws(EgressRefusal) -> ByteBuffer {
        do throws(BodyDecoder.Flaw) { try decoder?.end() } catch { throw refuseCoding(error.reason) }
        try check(trailers)
        var rest = ByteBuffer()
        for index in scanners.indices {
            guard var all = scanners[index].take(rest), var last = scanners[index].end() else {
                throw refuseReflection()
            }
            all.writeBuffer(&last)
            rest = all
        }
        return rest
    }

    /// True for a text that must not come in.
    func holds(_ text: String) -> Bool { needles.contains { $0.isIn(text) } }

    private func check(_ fields: HTTPFields) throws(EgressRefusal) {
        // A name goes on in lower case where the client speaks HTTP/2.
        for field in fields.all { try check([field.name, field.key, field.value]) }
    }

    private func check(_ texts: [String]) throws(EgressRefusal) {
        guard !texts.contains(where: holds) else { throw refuseReflection() }
    }

    private mutating func decoded(_ head: ResponseHead) throws(EgressRefusal) -> ResponseHead {
        let codings = head.fields.members("content-encoding").filter { $0 != "identity" }
        guard !codings.isEmpty, head.body != .none else { return head }
        let word = codings[0].hasPrefix("x-") ? String(codings[0].dropFirst(2)) : codings[0]
        guard codings.count == 1, let coding = BodyDecoder.Coding(rawValue: word) else {
            throw refuseCoding("its coding is \(EgressRefusal.quoted(codings.joined(separator: ", ").utf8))")
        }
        decoder = BodyDecoder(coding)
        var head = head
        var fields = HTTPFields()
        for field in head.fields.all where !Self.ofCoding.contains(field.key) {
            // The same answer, and other bytes of it (RFC 9110, section 8.8.1).
            let isStrong = field.key == "etag" && !field.value.hasPrefix("W/")
            fields.append(isStrong ? HTTPField(field.name, "W/" + field.value) : field)
        }
        head.fields = fields
        if head.body != .bytes(0) { head.body = .open }
        return head
    }

    private func refuseReflection() -> EgressRefusal {
        EgressRefusal(
            .credentialReflected,
            "the answer of \(target) holds a secret that is bound to it",
            remedy: "Nothing allows it. A person looks at what that service sends back, and may have to change the key."
        )
    }

    private func refusePart() -> EgressRefusal {
        EgressRefusal(
            Self.partial,
            "\(target) answers with a part that was not asked for, in which a secret could come in pieces"
        )
    }

    private func refuseCoding(_ reason: String) -> EgressRefusal {
        EgressRefusal(
            Self.encoding,
            "the answer of \(target) came encoded, though it was asked for as it is, and cannot be read: \(reason)"
        )
    }
}
