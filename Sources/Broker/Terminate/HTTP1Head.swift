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
    static func line(_ bytes: ArraySlice<UInt8>, _ side: HTTP1Reader.Side) throws(HTTPRefusal) -> (Line, Int) {
        switch side {
        case .request: try requestLine(bytes)
        case .response: try statusLine(bytes)
        }
    }

    private static func requestLine(_ bytes: ArraySlice<UInt8>) throws(HTTPRefusal) -> (Line, Int) {
        let words = bytes.split(separator: 0x20, omittingEmptySubsequences: false)
        guard words.count == 3 else { throw HTTPRefusal(400, "http-syntax", "the request line is not three words") }
        guard words[0].count <= 32, HTTPSyntax.isToken(words[0]) else {
            throw HTTPRefusal(400, "http-syntax", "the request line begins with no method")
        }
        guard !words[1].isEmpty, words[1].allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw HTTPRefusal(400, "http-syntax", "the request's target holds what is not printable ASCII")
        }
        let method = String(decoding: words[0], as: UTF8.self)
        return (.request(method: method, target: String(decoding: words[1], as: UTF8.self)), try version(words[2]))
    }

    private static func statusLine(_ bytes: ArraySlice<UInt8>) throws(HTTPRefusal) -> (Line, Int) {
        let words = bytes.split(separator: 0x20, maxSplits: 2, omittingEmptySubsequences: false)
        guard words.count >= 2, words[1].count == 3, let status = HTTPSyntax.decimal(words[1]),
            (100...599).contains(status)
        else { throw HTTPRefusal(502, "http-syntax", "the answer begins with no status line") }
        let reason = words.count == 3 ? words[2] : []
        guard reason.allSatisfy(HTTPSyntax.isFieldContent) else {
            throw HTTPRefusal(502, "http-syntax", "the answer's status line holds a control character")
        }
        return (.response(status: Int(status), reason: String(decoding: reason, as: UTF8.self)), try version(words[0]))
    }

    private static func version(_ word: ArraySlice<UInt8>) throws(HTTPRefusal) -> Int {
        if word.elementsEqual("HTTP/1.1".utf8) { return 1 }
        if word.elementsEqual("HTTP/1.0".utf8) { return 0 }
        throw HTTPRefusal(505, "http-version", "the version is neither HTTP/1.1 nor HTTP/1.0")
    }

    /// Reads one field without its end of line.
    static func field(_ bytes: ArraySlice<UInt8>, _ side: HTTP1Reader.Side) throws(HTTPRefusal) -> HTTPField {
        let status = side == .request ? 400 : 502
        guard let colon = bytes.firstIndex(of: UInt8(ascii: ":")) else {
            throw HTTPRefusal(status, "http-syntax", "a field has no colon")
        }
        guard HTTPSyntax.isToken(bytes[..<colon]) else {
            throw HTTPRefusal(status, "http-syntax", "a field's name is no token, or a line goes on in the next one")
        }
        let name = String(decoding: bytes[..<colon], as: UTF8.self)
        return HTTPField(name, try value(bytes[(colon + 1)...], status))
    }

    static func value(_ bytes: ArraySlice<UInt8>, _ status: Int) throws(HTTPRefusal) -> String {
        let value = HTTPSyntax.trimmed(bytes)
        guard value.allSatisfy(HTTPSyntax.isFieldContent) else {
            throw HTTPRefusal(status, "http-syntax", "a field's value holds a control character")
        }
        return String(decoding: value, as: UTF8.self)
    }

    /// How far the body goes; everything that two readers could take differently is refused.
    mutating func measure(answering method: String?) throws(HTTPRefusal) {
        let status = method == nil ? 400 : 502
        try fields.refuseLookAlikes(status)
        let lengths = fields.values("content-length")
        let codings = fields.values("transfer-encoding")
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
