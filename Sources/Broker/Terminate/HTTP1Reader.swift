package import NIOCore

/// Reads HTTP/1 messages one after another, strictly, from bytes in any pieces. It is total: on every input it reads,
/// waits for more, or refuses, and after a refusal it reads nothing more.
package struct HTTP1Reader {
    package enum Side: Sendable { case request, response }

    package enum Part: Equatable {
        case head(HTTP1Head)
        case body(ByteBuffer)
        /// The message is over; what followed a body in chunks.
        case end(HTTPFields)
    }

    private enum State: Equatable {
        case head
        case bytes(UInt64)
        case chunkSize
        case chunk(UInt64)
        case chunkEnd
        case trailers
        case untilEnd
        case over
        case raw
        case failed
    }

    /// Less than this is read on before somebody asks for it: to go to sleep and be woken costs more than to keep it,
    /// and whoever does not listen does not hear the other side leave.
    static let aheadBytesMax = 16 << 10
    /// A line that says how long a chunk is: 15 digits and its end.
    private static let chunkLineBytesMax = 17

    private let side: Side
    private let headBytesMax: Int
    private let fieldsMax: Int
    private var state = State.head
    private var buffer = ByteBuffer()
    /// How much of a head was looked at already, so that a slow one costs no more than a fast one.
    private var scanned = 0
    private var lines: [Range<Int>] = []
    /// What the first of them says.
    private var first: (line: HTTP1Head.Line, minorVersion: Int)?

    /// For answers: the method of the request that the next one belongs to.
    package var answering = "GET"

    package init(_ side: Side, headBytesMax: Int, fieldsMax: Int) {
        self.side = side
        self.headBytesMax = headBytesMax
        self.fieldsMax = fieldsMax
    }

    package mutating func append(_ bytes: ByteBuffer) {
        if state == .failed { return }
        if buffer.readableBytes == 0 {
            buffer = bytes
        } else {
            var bytes = bytes
            buffer.writeBuffer(&bytes)
        }
    }

    /// Bytes that were not read yet.
    package var unreadBytes: Int { buffer.readableBytes }

    /// True between two messages, with nothing of the next one.
    package var isBetweenMessages: Bool { state == .head && buffer.readableBytes == 0 }

    /// From here on bytes are bytes: after a protocol was switched.
    package mutating func becomeRaw() { state = .raw }

    /// The next part; nil where more bytes are needed.
    package mutating func next() throws(HTTPRefusal) -> Part? {
        do throws(HTTPRefusal) {
            return try read()
        } catch {
            state = .failed
            buffer.clear()
            throw error
        }
    }

    /// The other side has ended its stream.
    ///
    /// - Returns: what that completes, or nil between messages.
    /// - Throws: ``HTTPRefusal`` in the middle of a message.
    package mutating func finish() throws(HTTPRefusal) -> Part? {
        switch state {
        case .untilEnd, .raw:
            state = .over
            return .end(HTTPFields())
        case .head where buffer.readableBytes == 0, .over, .failed: return nil
        default:
            state = .failed
            throw refusal("http-syntax", "the message ends in its middle")
        }
    }

    private mutating func read() throws(HTTPRefusal) -> Part? {
        switch state {
        case .head: return try readHead()
        case .bytes(let left):
            guard left > 0 else { return end() }
            guard let slice = take(left) else { return nil }
            state = .bytes(left - UInt64(slice.readableBytes))
            return .body(slice)
        case .chunkSize, .chunk, .chunkEnd, .trailers: return try readChunked()
        case .untilEnd, .raw: return take(.max).map { .body($0) }
        case .over, .failed: return nil
        }
    }

    private mutating func take(_ left: UInt64) -> ByteBuffer? {
        let count = Int(min(left, UInt64(buffer.readableBytes)))
        guard count > 0 else { return nil }
        defer { letGo() }
        return buffer.readSlice(length: count)
    }

    /// What is read to its end is not held on to: whoever fills the same storage next would copy all of it first.
    private mutating func letGo() {
        if buffer.readableBytes == 0 { buffer = ByteBuffer() }
    }

    private mutating func end(_ trailers: HTTPFields = HTTPFields()) -> Part {
        state = .head
        return .end(trailers)
    }

    private mutating func readHead() throws(HTTPRefusal) -> Part? {
        guard let length = try scan(), let (line, minorVersion) = first else { return nil }
        let fields = try takeFields(length, lines.dropFirst())
        var head = HTTP1Head(line: line, minorVersion: minorVersion, fields: fields, body: .none)
        try head.measure(answering: side == .response ? answering : nil)
        switch head.body {
        case .none: state = .bytes(0)
        case .bytes(let count): state = .bytes(count)
        case .open: state = .chunkSize
        case .untilEnd: state = .untilEnd
        }
        // An answer that only announces another one has no end of its own.
        if case .response(let status, _) = line, status < 200 { state = .head }
        return .head(head)
    }

    private mutating func readChunked() throws(HTTPRefusal) -> Part? {
        while true {
            switch state {
            case .chunkSize:
                guard let line = try takeLine(bytesMax: Self.chunkLineBytesMax) else { return nil }
                guard let size = HTTPSyntax.hexadecimal(line) else {
                    throw refusal("http-framing", "a chunk's size is no hexadecimal number alone")
                }
                state = size == 0 ? .trailers : .chunk(size)
            case .chunk(let left):
                guard let slice = take(left) else { return nil }
                let rest = left - UInt64(slice.readableBytes)
                state = rest == 0 ? .chunkEnd : .chunk(rest)
                return .body(slice)
            case .chunkEnd:
                guard let line = try takeLine(bytesMax: 2) else { return nil }
                guard line.isEmpty else { throw refusal("http-framing", "a chunk is longer than it says") }
                state = .chunkSize
            default:
                return try readTrailers()
            }
        }
    }

    private mutating func readTrailers() throws(HTTPRefusal) -> Part? {
        guard let length = try scan() else { return nil }
        let fields = try takeFields(length, lines[...])
        try fields.refuseTrailing(side == .request ? 400 : 502)
        return end(fields)
    }

    private func refusal(_ rule: StaticString, _ reason: String) -> HTTPRefusal {
        HTTPRefusal(side == .request ? 400 : 502, rule, reason)
    }
}

/// Lines, each ended by CR LF and by nothing else.
extension HTTP1Reader {
    /// One short line without its end; nil where more bytes are needed.
    private mutating func takeLine(bytesMax: Int) throws(HTTPRefusal) -> [UInt8]? {
        let view = buffer.readableBytesView.prefix(bytesMax)
        guard let end = view.firstIndex(of: HTTPSyntax.lineFeed) else {
            guard view.count < bytesMax else {
                throw refusal("http-framing", "a chunk's line is too long or has no end")
            }
            return nil
        }
        guard end > view.startIndex, view[end - 1] == HTTPSyntax.carriageReturn else {
            throw refusal("http-syntax", "a line ends with a bare line feed")
        }
        let line = Array(view[..<(end - 1)])
        buffer.moveReaderIndex(forwardBy: line.count + 2)
        letGo()
        return line
    }

    /// The fields in some of the lines that ``scan()`` found, with all that it looked at.
    private mutating func takeFields(_ length: Int, _ lines: ArraySlice<Range<Int>>) throws(HTTPRefusal) -> HTTPFields {
        let bytes = buffer.readBytes(length: length) ?? []
        letGo()
        self.lines.removeAll(keepingCapacity: true)
        first = nil
        scanned = 0
        var fields = HTTPFields()
        fields.reserve(lines.count)
        for line in lines { fields.append(try HTTP1Head.field(bytes.span.extracting(line), side)) }
        return fields
    }

    /// Looks on for the empty line that ends a head, and keeps where the lines before it are.
    ///
    /// - Returns: the head's length with its end, or nil where more bytes are needed.
    private mutating func scan() throws(HTTPRefusal) -> Int? {
        let view = buffer.readableBytesView
        while true {
            let start = lines.last.map { $0.upperBound + 2 } ?? 0
            let from = view.index(view.startIndex, offsetBy: max(scanned, start))
            guard let feed = view[from...].firstIndex(of: HTTPSyntax.lineFeed) else {
                scanned = view.count
                guard scanned <= headBytesMax else { throw tooLarge() }
                return nil
            }
            let end = view.distance(from: view.startIndex, to: feed)
            guard end < headBytesMax else { throw tooLarge() }
            guard end > start, view[feed - 1] == HTTPSyntax.carriageReturn else {
                throw refusal("http-syntax", "a line ends with a bare line feed")
            }
            scanned = end + 1
            let line = start..<(end - 1)
            if line.isEmpty {
                guard !lines.isEmpty || state == .trailers else {
                    throw refusal("http-syntax", "an empty line stands before a head")
                }
                return end + 1
            }
            // What is no HTTP is refused by its first line: it may never have an empty one.
            if lines.isEmpty, state == .head {
                first = try HTTP1Head.line(Array(view[view.startIndex..<(feed - 1)]).span, side)
            }
            lines.append(line)
            guard lines.count <= fieldsMax + 1 else {
                throw HTTPRefusal(431, "limit-head-fields", "the head has more than \(fieldsMax) fields")
            }
        }
    }

    private func tooLarge() -> HTTPRefusal {
        HTTPRefusal(
            side == .request ? 431 : 502,
            "limit-head-bytes",
            "the head has more than \(headBytesMax) bytes"
        )
    }
}
