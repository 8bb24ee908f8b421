/// How far the body of a message goes.
package enum BodyLength: Hashable, Sendable {
    case none
    case bytes(UInt64)
    /// In chunks, or over HTTP/2 up to the end of the stream.
    case open
    /// Up to the end of the connection: answers only.
    case untilEnd
}

/// The first line of a message and its fields, as a client or a server wrote them.
package struct HTTP1Head: Hashable, Sendable {
    package enum Line: Hashable, Sendable {
        case request(method: String, target: String)
        case response(status: Int, reason: String)
    }

    package var line: Line
    /// 0 or 1, of HTTP/1.
    package var minorVersion: Int
    package var fields: HTTPFields
    package var body: BodyLength

    /// Reads a first line without its end.
    static func line(_ bytes: Span<UInt8>, _ side: HTTP1Reader.Side) throws(HTTPRefusal) -> (Line, Int) {
        switch side {
        case .request: try requestLine(bytes)
        case .response: try statusLine(bytes)
        }
    }

    private static func requestLine(_ bytes: Span<UInt8>) throws(HTTPRefusal) -> (Line, Int) {
        let first = end(of: 0, in: bytes)
        let second = end(of: min(first + 1, bytes.count), in: bytes)
        guard second < bytes.count, end(of: second + 1, in: bytes) == bytes.count else {
            throw HTTPRefusal(400, "http-syntax", "the request line is not three words")
        }
        guard (1...32).contains(first), HTTPSyntax.tokenCount(bytes) == first else {
            throw HTTPRefusal(400, "http-syntax", "the request line begins with no method")
        }
        let target = bytes.extracting((first + 1)..<second)
        guard !target.isEmpty, HTTPSyntax.count(in: target, while: { (0x21...0x7E).contains($0) }) == target.count
        else {
            throw HTTPRefusal(400, "http-syntax", "the request's target holds what is not printable ASCII")
        }
        let line = Line.request(
            method: HTTPSyntax.text(bytes.extracting(..<first)),
            target: HTTPSyntax.text(target)
        )
        return (line, try version(bytes.extracting((second + 1)...)))
    }

    private static func statusLine(_ bytes: Span<UInt8>) throws(HTTPRefusal) -> (Line, Int) {
        let first = end(of: 0, in: bytes)
        let second = end(of: min(first + 1, bytes.count), in: bytes)
        guard second == first + 4, let status = HTTPSyntax.decimal(bytes.extracting((first + 1)..<second)),
            (100...599).contains(status)
        else { throw HTTPRefusal(502, "http-syntax", "the answer begins with no status line") }
        let reason = bytes.extracting(min(second + 1, bytes.count)...)
        guard HTTPSyntax.count(in: reason, while: HTTPSyntax.isFieldContent) == reason.count else {
            throw HTTPRefusal(502, "http-syntax", "the answer's status line holds a control character")
        }
        let line = Line.response(status: Int(status), reason: HTTPSyntax.text(reason))
        return (line, try version(bytes.extracting(..<first)))
    }

    /// Where the word that begins there ends: at a space, or with the line.
    private static func end(of start: Int, in bytes: Span<UInt8>) -> Int {
        start + HTTPSyntax.count(in: bytes.extracting(start...), while: { $0 != 0x20 })
    }

    private static func version(_ word: Span<UInt8>) throws(HTTPRefusal) -> Int {
        if HTTPSyntax.isText(word, "HTTP/1.1") { return 1 }
        if HTTPSyntax.isText(word, "HTTP/1.0") { return 0 }
        throw HTTPRefusal(505, "http-version", "the version is neither HTTP/1.1 nor HTTP/1.0")
    }

    /// Reads one field without its end of line.
    static func field(_ bytes: Span<UInt8>, _ side: HTTP1Reader.Side) throws(HTTPRefusal) -> HTTPField {
        let status = side == .request ? 400 : 502
        let colon = HTTPSyntax.count(in: bytes, while: { $0 != UInt8(ascii: ":") })
        guard colon < bytes.count else { throw HTTPRefusal(status, "http-syntax", "a field has no colon") }
        guard colon > 0, HTTPSyntax.tokenCount(bytes) == colon else {
            throw HTTPRefusal(status, "http-syntax", "a field's name is no token, or a line goes on in the next one")
        }
        let behind = bytes.extracting((colon + 1)...)
        let value = behind.extracting(HTTPSyntax.trimmed(behind))
        guard HTTPSyntax.count(in: value, while: HTTPSyntax.isFieldContent) == value.count else {
            throw HTTPRefusal(status, "http-syntax", "a field's value holds a control character")
        }
        return HTTPField(HTTPSyntax.text(bytes.extracting(..<colon)), HTTPSyntax.text(value))
    }

    /// How far the body goes; everything that two readers could take differently is refused.
    mutating func measure(answering method: String?) throws(HTTPRefusal) {
        let status = method == nil ? 400 : 502
        try fields.refuseLookAlikes(status)
        let (lengths, codings) = fields.lengthsAndCodings
        guard lengths.isEmpty || codings.isEmpty else {
            throw HTTPRefusal(status, "http-framing", "the body has both a length and a transfer coding")
        }
        guard lengths.count < 2, codings.count < 2 else {
            throw HTTPRefusal(status, "http-framing", "the body's length or transfer coding stands twice")
        }
        if let coding = codings.first {
            guard coding.lowercased() == "chunked", minorVersion == 1 else {
                throw HTTPRefusal(status, "http-framing", "the transfer coding is other than chunked, or in HTTP/1.0")
            }
        }
        var length: UInt64?
        if let text = lengths.first {
            guard let read = HTTPSyntax.decimal(Array(text.utf8)) else {
                throw HTTPRefusal(status, "http-framing", "the body's length is no decimal number")
            }
            length = read
        }
        switch line {
        case .request: body = codings.isEmpty ? (length.map { $0 == 0 ? .none : .bytes($0) } ?? .none) : .open
        case .response(let status, _):
            if method == "HEAD" || status < 200 || status == 204 || status == 304 {
                body = .none
            } else {
                body = codings.isEmpty ? (length.map { $0 == 0 ? .none : .bytes($0) } ?? .untilEnd) : .open
            }
        }
    }

    /// Fields that decide where a message ends, whom it is for, or what becomes of its connection.
    static let framing: Set<String> = ["content-length", "transfer-encoding", "host", "connection", "upgrade"]
}
