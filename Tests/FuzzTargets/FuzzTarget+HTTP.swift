import Broker
import Egress
import NIOCore

extension FuzzTarget {
    /// Requests of HTTP/1: in whatever pieces they come they read the same, and what is written anew reads as it was
    /// understood.
    static let http1Request = FuzzTarget("http1-request") {
        [
            "GET /a?b HTTP/1.1\r\nHost: example.com\r\nX: y\r\n\r\n",
            "POST http://example.com/ HTTP/1.1\r\nHost: example.com:80\r\nContent-Length: 5\r\n\r\nhello",
            "POST / HTTP/1.1\r\nHost: example.com\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: y\r\n\r\n",
            "GET / HTTP/1.1\r\nHost: example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
                + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
            "GET / HTTP/1.0\r\nHost: example.com\r\nTE: trailers\r\nExpect: 100-continue\r\n\r\n",
        ].map { Array($0.utf8) }
    } prepare: {
        let target = try ConnectTarget(Array("example.com:80".utf8))
        let reading = RequestReading(target: target, isTLS: false, isProxy: true)
        return { bytes in
            let whole = try sameInPieces(.request, bytes)
            for case .head(let head) in whole.parts {
                guard let request = try? reading.read(head) else { continue }
                let again = try parts(.request, [Array(request.http1Head.utf8)])
                guard case .head(let second)? = again.parts.first else {
                    throw FuzzFinding("a head that was written anew is refused")
                }
                var expected = request
                expected.reply = RequestHead.Reply()
                let read = try? RequestReading(target: request.target, isTLS: false, isProxy: false).read(second)
                try promise(read == expected, "a request reads differently when it was written anew")
                try promise(again.parts.count <= 2, "a head that was written anew is two")
            }
        }
    }

    /// Answers of HTTP/1, in whatever pieces.
    static let http1Response = FuzzTarget("http1-response") {
        [
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", "HTTP/1.0 204 No\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\n\r\nup to the end",
        ].map { Array($0.utf8) }
    } prepare: {
        { bytes in _ = try sameInPieces(.response, bytes) }
    }

    private struct Reading: Equatable {
        var parts: [HTTP1Reader.Part] = []
        var body: [UInt8] = []
        var isRefused = false
    }

    private static func sameInPieces(_ side: HTTP1Reader.Side, _ bytes: [UInt8]) throws -> Reading {
        let whole = try parts(side, [bytes])
        let single = try parts(side, bytes.map { [$0] })
        let half = bytes.count / 2
        let halves = try parts(side, [Array(bytes[..<half]), Array(bytes[half...])])
        try promise(whole == single && whole == halves, "bytes read differently in other pieces")
        try promise(whole.body.count <= bytes.count, "more body than bytes")
        return whole
    }

    /// What a reader makes of pieces; bodies are joined, as they come in whatever pieces there are.
    private static func parts(_ side: HTTP1Reader.Side, _ pieces: [[UInt8]]) throws -> Reading {
        var reader = HTTP1Reader(side, headBytesMax: 4096, fieldsMax: 20)
        var reading = Reading()
        do {
            for piece in pieces {
                reader.append(ByteBuffer(bytes: piece))
                while let part = try reader.next() {
                    guard case .body(let bytes) = part else {
                        reading.parts.append(part)
                        continue
                    }
                    try promise(bytes.readableBytes > 0, "a part of a body is empty")
                    reading.body += Array(bytes.readableBytesView)
                }
            }
            if let part = try reader.finish() { reading.parts.append(part) }
        } catch let refusal as HTTPRefusal {
            try promise(isOneLine(refusal.reason) && refusal.reason.utf8.count < 1024, "a refusal steers a terminal")
            reading.isRefused = true
        }
        return reading
    }
}
