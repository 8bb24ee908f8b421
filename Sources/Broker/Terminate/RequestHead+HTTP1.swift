import NIOCore

/// Heads as they are written in HTTP/1.1.
extension RequestHead {
    /// The head as it is written to a server in HTTP/1.1.
    package var http1Head: String {
        var buffer = ByteBuffer()
        buffer.write(self, isOpen: false)
        return String(buffer: buffer)
    }
}

extension ByteBuffer {
    /// - Parameter isOpen: more fields follow.
    mutating func write(_ request: RequestHead, isOpen: Bool) {
        write(texts: [request.method, " ", request.path, " HTTP/1.1\r\nHost: ", request.authority, "\r\n"])
        for field in request.fields.all where field.key != "te" { write(field) }
        switch request.body {
        case .none: if ["POST", "PUT", "PATCH"].contains(request.method) { write(texts: ["Content-Length: 0\r\n"]) }
        case .bytes(let count): write(texts: ["Content-Length: ", String(count), "\r\n"])
        case .open, .untilEnd: write(texts: ["Transfer-Encoding: chunked\r\n"])
        }
        if request.isWebSocket {
            write(texts: ["Connection: Upgrade\r\nUpgrade: websocket\r\n"])
        } else if request.fields.contains("te") {
            write(texts: ["Connection: TE\r\nTE: trailers\r\n"])
        }
        if !isOpen { write(texts: ["\r\n"]) }
    }

    /// A field with its line's end: as one piece, since a head is made of many.
    mutating func write(_ field: HTTPField) {
        let count = field.name.utf8.count + field.value.utf8.count + 4
        writeWithUnsafeMutableBytes(minimumWritableBytes: count) { target in
            var rest = target
            rest.put(field.name)
            rest.put(": ")
            rest.put(field.value)
            rest.put("\r\n")
            return count
        }
    }

    /// One behind the other, as one piece.
    mutating func write(texts: [String]) {
        let count = texts.reduce(0) { $0 + $1.utf8.count }
        writeWithUnsafeMutableBytes(minimumWritableBytes: count) { target in
            var rest = target
            for text in texts { rest.put(text) }
            return count
        }
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Writes a text at the beginning, and becomes what is left.
    fileprivate mutating func put(_ text: String) {
        copyBytes(from: text.utf8)
        self = UnsafeMutableRawBufferPointer(rebasing: self[text.utf8.count...])
    }
}
