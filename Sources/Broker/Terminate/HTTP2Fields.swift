import Egress
package import NIOHPACK
import NIOHTTP2

/// Header blocks of HTTP/2.
enum HTTP2Fields {
    /// What a block of a request or of an answer holds: what begins with a colon, and what does not.
    struct Block: Equatable {
        var pseudo: [String: String] = [:]
        var fields = HTTPFields()
    }

    /// What the whole message ends with comes in a block of its own, after the body.
    static let neverTrailing: Set<String> = HTTP1Head.framing.union(Connection.overriding.all).union([
        "authorization", "cookie", "set-cookie", "content-encoding", "content-type", "content-range", "trailer", "te",
        "proxy-authorization", "keep-alive", "proxy-connection", "expect",
    ])

    /// Names that belong to a connection of HTTP/1, and to no message of HTTP/2 (RFC 9113, section 8.2.2).
    private static let ofConnections: Set<String> = [
        "connection", "keep-alive", "proxy-connection", "transfer-encoding", "upgrade",
    ]

    /// Parts a block, in one spelling for all that follows.
    ///
    /// - Parameter status: 400 for what a client wrote, 502 for what a server wrote.
    static func read(_ block: HPACKHeaders, _ status: Int, _ fieldsMax: Int) throws(HTTPRefusal) -> Block {
        guard block.count <= fieldsMax + 8 else {
            let code = status == 400 ? 431 : 502
            throw HTTPRefusal(code, "limit-head-fields", "the head has more than \(fieldsMax) fields")
        }
        var read = Block()
        var cookies: [String] = []
        for (name, value, _) in block {
            guard value.utf8.allSatisfy(HTTPSyntax.isFieldContent) else {
                throw HTTPRefusal(status, "http-syntax", "a field's value holds a control character")
            }
            if name.hasPrefix(":") {
                // What a server wrote goes into no sentence that its client gets.
                let shown = status == 400 ? EgressRefusal.quoted(name.utf8) : "a name with a colon before it"
                guard read.fields.all.isEmpty, cookies.isEmpty else {
                    throw HTTPRefusal(status, "http-syntax", "\(shown) stands behind fields")
                }
                guard read.pseudo.updateValue(value, forKey: name) == nil else {
                    throw HTTPRefusal(status, "http-syntax", "\(shown) stands twice")
                }
                continue
            }
            try check(name, status)
            if name == "cookie" { cookies.append(value) } else { read.fields.append(name, trimmed(value)) }
        }
        // They may come apart in HTTP/2, and belong together everywhere else.
        if !cookies.isEmpty { read.fields.append("cookie", cookies.joined(separator: "; ")) }
        try read.fields.refuseLookAlikes(status)
        return read
    }

    /// Reads the block that follows a body.
    static func readTrailers(
        _ block: HPACKHeaders,
        _ status: Int,
        _ fieldsMax: Int
    ) throws(HTTPRefusal) -> HTTPFields {
        let read = try read(block, status, fieldsMax)
        guard read.pseudo.isEmpty else { throw HTTPRefusal(status, "http-syntax", "a message begins twice") }
        try read.fields.refuseTrailing(status)
        return read.fields
    }

    private static func check(_ name: String, _ status: Int) throws(HTTPRefusal) {
        let upper = UInt8(ascii: "A")...UInt8(ascii: "Z")
        guard HTTPSyntax.isToken(name.utf8), !name.utf8.contains(where: upper.contains) else {
            throw HTTPRefusal(status, "http-syntax", "a field's name is no token in lower case")
        }
        guard !ofConnections.contains(name) else {
            throw HTTPRefusal(status, "http-connection", "the field \(name) belongs to no message of HTTP/2")
        }
    }

    private static func trimmed(_ value: String) -> String {
        let isSpace = { (byte: UInt8?) in byte == 0x20 || byte == 0x09 }
        guard isSpace(value.utf8.first) || isSpace(value.utf8.last) else { return value }
        return String(decoding: HTTPSyntax.trimmed(Array(value.utf8)), as: UTF8.self)
    }

    static func write(_ fields: HTTPFields, to block: inout HPACKHeaders) {
        for field in fields.all where field.key != "connection" { block.add(name: field.key, value: field.value) }
    }
}

extension HTTPFields {
    /// Names that some servers take for the fields that decide where a message ends or whom it is for.
    func refuseLookAlikes(_ status: Int) throws(HTTPRefusal) {
        for field in all where field.hasUnderscores {
            let other = field.hyphenated
            guard !HTTP1Head.framing.contains(other) else {
                throw HTTPRefusal(status, "http-framing", "the field \(field.key) is taken by some for \(other)")
            }
        }
    }

    /// Fields that are too late behind a body.
    func refuseTrailing(_ status: Int) throws(HTTPRefusal) {
        guard let bad = all.first(where: { HTTP2Fields.neverTrailing.contains($0.hyphenated) }) else { return }
        throw HTTPRefusal(status, "http-framing", "the field \(bad.key) stands after the body")
    }
}

extension RequestHead {
    /// The head as it is written to a server in HTTP/2.
    package var http2Head: HPACKHeaders {
        var block = HPACKHeaders([
            (":method", method), (":scheme", scheme.rawValue), (":authority", authority), (":path", path),
        ])
        HTTP2Fields.write(fields, to: &block)
        switch body {
        case .none: if ["POST", "PUT", "PATCH"].contains(method) { block.add(name: "content-length", value: "0") }
        case .bytes(let count): block.add(name: "content-length", value: String(count))
        case .open, .untilEnd: break
        }
        return block
    }
}

extension HTTP2ErrorCode {
    /// What one side ended a stream with, as the other side is told: what is about the message, and not about the
    /// connection that it came on.
    var passedOn: HTTP2ErrorCode {
        [.cancel, .refusedStream, .enhanceYourCalm].contains(self) ? self : .internalError
    }

    /// What one of the two neighbours says of the other's frames; either may have said it.
    var isOfConnection: Bool {
        [.protocolError, .flowControlError, .streamClosed, .frameSizeError, .compressionError].contains(self)
    }
}
