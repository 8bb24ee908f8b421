import Broker
import NIOCore
import Testing

@Suite("a reader of HTTP/1 holds on to nothing that it has read")
struct HTTP1ReaderTests {
    /// Where a buffer's bytes lie.
    private func place(of buffer: ByteBuffer) -> Int {
        buffer.withVeryUnsafeBytes { Int(bitPattern: $0.baseAddress) }
    }

    /// Whoever fills a buffer that somebody else holds too copies all of it first, as NIOSSL does for each read.
    private func reads(_ side: HTTP1Reader.Side, _ text: String) throws {
        var reader = HTTP1Reader(side, headBytesMax: 1 << 14, fieldsMax: 100)
        var buffer = ByteBuffer()
        buffer.reserveCapacity(1 << 12)
        let storage = place(of: buffer)
        for _ in 0..<3 {
            buffer.clear()
            buffer.writeString(text)
            #expect(place(of: buffer) == storage)
            reader.append(buffer)
            while let part = try reader.next() { if case .end = part { break } }
            #expect(reader.isBetweenMessages)
        }
    }

    @Test(arguments: [
        "GET / HTTP/1.1\r\nHost: a.example.com\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a.example.com\r\nContent-Length: 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: a.example.com\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a.example.com\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX-After: 1\r\n\r\n",
    ])
    func requests(_ text: String) throws { try reads(.request, text) }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "HTTP/1.1 204 No Content\r\n\r\n",
        "HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
    ])
    func answers(_ text: String) throws { try reads(.response, text) }

    /// First lines that end where a word could.
    @Test(arguments: [
        "GET /", "GET / ", "GET  HTTP/1.1", " / HTTP/1.1", "GET / HTTP/1.1 ", "GET", "GET / a HTTP/1.1",
        "GET / HTTP/1.10",
    ])
    func badRequestLines(_ line: String) {
        var reader = HTTP1Reader(.request, headBytesMax: 1 << 14, fieldsMax: 100)
        reader.append(ByteBuffer(string: line + "\r\n"))
        #expect(throws: HTTPRefusal.self) { try reader.next() }
    }

    @Test(arguments: [
        "HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 20", "HTTP/1.1 20 OK", "HTTP/1.1 2000", "HTTP/1.1 099", "HTTP/1.1 600",
        "HTTP/1.1  200 OK", "HTTP/1.1 +20 OK", "HTTP/1.10 200 OK", " 200 OK", "HTTP/1.1 200 O\u{1}K",
    ])
    func badStatusLines(_ line: String) {
        var reader = HTTP1Reader(.response, headBytesMax: 1 << 14, fieldsMax: 100)
        reader.append(ByteBuffer(string: line + "\r\n"))
        #expect(throws: HTTPRefusal.self) { try reader.next() }
    }

    @Test(arguments: [
        ":x", "a", "a b: c", "a : b", " a: b", "a\t: b", "a: b\u{7F}", "a: b\u{0}c", "\u{E9}: b", "a\"b: c", "(a): b",
        "a[1]: b",
    ])
    func badFields(_ field: String) {
        var reader = HTTP1Reader(.request, headBytesMax: 1 << 14, fieldsMax: 100)
        reader.append(ByteBuffer(string: "GET / HTTP/1.1\r\nHost: a.example.com\r\n\(field)\r\n\r\n"))
        #expect(throws: HTTPRefusal.self) { try reader.next() }
    }

    @Test func everyByteOfATokenIsRead() throws {
        let token = "!#$%&'*+-.^_`|~09azAZ"
        var reader = HTTP1Reader(.request, headBytesMax: 1 << 14, fieldsMax: 100)
        reader.append(ByteBuffer(string: "GET / HTTP/1.1\r\nHost: a.example.com\r\n\(token):\t b c \t\r\n\r\n"))
        let part = try reader.next()
        guard case .head(let head)? = part else {
            Issue.record("there is no head")
            return
        }
        #expect(head.fields.all.last == HTTPField(token, "b c"))
        #expect(head.fields.all.last?.key == token.lowercased())
    }
}
