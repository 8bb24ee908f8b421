import Broker
import Egress
import NIOCore
import NIOEmbedded
import NIOHPACK
import NIOHTTP2

extension FuzzTarget {
    /// What a server says in HTTP/2 while requests wait: an answer that is read is a whole one, as long as it says, and
    /// is one head for a client that speaks HTTP/1. What waits is counted the same in whatever pieces it comes.
    static let http2Answer = FuzzTarget("http2-answer", bytesMax: 1 << 14) {
        let settings = frame(4, 0, 0, [0, 3, 0, 0, 0, 9]) + frame(4, 1, 0)
        let ok: [UInt8] = [0x88]
        let length = literal("content-length", "2")
        return [
            settings + frame(1, 4, 1, ok + length) + frame(0, 1, 1, Array("ok".utf8)),
            settings + frame(1, 4, 3, literal(":status", "103")) + frame(1, 5, 3, ok + literal("x", "y")),
            settings + frame(1, 0, 5, ok) + frame(9, 4, 5, literal("grpc-encoding", "identity"))
                + frame(0, 8, 5, [1, 0x61, 0]) + frame(1, 5, 5, literal("grpc-status", "0")),
            settings + frame(3, 0, 1, [0, 0, 0, 7]) + frame(7, 0, 0, [0, 0, 0, 3, 0, 0, 0, 0]),
            settings + frame(6, 0, 0, Array("12345678".utf8)) + frame(8, 0, 5, [0, 0, 0, 9]),
            settings + frame(5, 4, 1, [0, 0, 0, 2] + literal(":path", "/")) + frame(0x77, 0, 0),
        ]
    } prepare: {
        let target = try ConnectTarget(Array("example.com:443".utf8))
        let heads = ["GET", "HEAD", "POST"].map {
            RequestHead(
                method: $0,
                scheme: .https,
                target: target,
                path: "/",
                fields: HTTPFields(),
                body: $0 == "POST" ? .open : .none
            )
        }
        return { bytes in
            try sameBacklog(bytes)
            for listener in try answers(bytes, heads) { try listener.judge(bytes.count) }
        }
    }

    private static func frame(_ kind: UInt8, _ flags: UInt8, _ stream: UInt8, _ payload: [UInt8] = []) -> [UInt8] {
        [0, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF), kind, flags, 0, 0, 0, stream] + payload
    }

    private static func literal(_ name: String, _ value: String) -> [UInt8] {
        [0, UInt8(name.utf8.count)] + Array(name.utf8) + [UInt8(value.utf8.count)] + Array(value.utf8)
    }

    /// Speaks to what the bytes are, as the broker would to a server.
    private static func answers(_ bytes: [UInt8], _ heads: [RequestHead]) throws -> [StreamListener] {
        let channel = EmbeddedChannel()
        let handler = HTTP2Setup.outside.handler(on: channel.eventLoop, headBytes: 4096) { stream in
            stream.eventLoop.makeFailedFuture(ChannelError.operationUnsupported)
        }
        try channel.pipeline.syncOperations.addHandler(handler)
        channel.connect(to: try SocketAddress(ipAddress: "127.0.0.1", port: 443), promise: nil)
        let multiplexer = try handler.syncMultiplexer()
        let listeners = heads.map { StreamListener($0) }
        for listener in listeners {
            let bound = NIOLoopBound(listener, eventLoop: channel.eventLoop)
            multiplexer.createStreamChannel(promise: nil) { stream in
                stream.eventLoop.makeCompletedFuture {
                    try stream.pipeline.syncOperations.addHandler(bound.value)
                }
            }
        }
        channel.embeddedEventLoop.run()
        let half = bytes.count / 2
        for piece in [bytes[..<half], bytes[half...]] where channel.isActive {
            // What breaks the rules of frames is no failure: the broker closes then.
            do { try channel.writeInbound(ByteBuffer(bytes: piece)) } catch { channel.close(promise: nil) }
        }
        _ = try? channel.finish(acceptAlreadyClosed: true)
        channel.embeddedEventLoop.run()
        return listeners
    }

    private static func sameBacklog(_ bytes: [UInt8]) throws {
        func count(_ pieces: [[UInt8]]) throws -> Int {
            var meter = HTTP2Meter(hasPreface: false)
            for stream in [1, 3, 5] as [UInt32] { meter.open(stream) }
            for piece in pieces { try meter.scan(ByteBuffer(bytes: piece), now: .uptimeNanoseconds(1 << 40)) }
            let cost = meter.cost
            // A frame counts from its head on, and no length is longer than three bytes say.
            try promise((0...bytes.count * 257 + 1 << 24).contains(cost), "more waits than came")
            for stream in [1, 3, 5] as [UInt32] { meter.close(stream) }
            try promise(meter.cost == 0, "something waits for nobody")
            return cost
        }
        let whole = try count([bytes])
        let single = try count(bytes.map { [$0] })
        try promise(whole == single, "what waits is counted differently in pieces")
    }
}

/// One request, and what becomes of it.
private final class StreamListener: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload

    private let request: RequestHead
    private var reader: HTTP2AnswerReader
    private var parts: [HTTP2AnswerReader.Part] = []
    private var refusals: [String] = []

    init(_ request: RequestHead) {
        self.request = request
        reader = HTTP2AnswerReader(answering: request.method, fieldsMax: 20)
    }

    func channelActive(context: ChannelHandlerContext) {
        let isLast = request.body == .none
        let payload = HTTP2Frame.FramePayload.headers(.init(headers: request.http2Head, endStream: isLast))
        context.writeAndFlush(NIOAny(payload), promise: nil)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard !reader.isOver else { return }
        do throws(HTTPRefusal) {
            switch unwrapInboundIn(data) {
            case .headers(let frame): parts += try reader.take(frame.headers, isLast: frame.endStream)
            case .data(let frame):
                guard case .byteBuffer(let bytes) = frame.data else { return }
                parts += try reader.take(bytes, isLast: frame.endStream)
            default: break
            }
        } catch {
            refusals.append(error.reason)
            context.close(promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {}

    func judge(_ count: Int) throws {
        var (final, length, body, ends) = (0, UInt64?.none, UInt64(0), 0)
        for part in parts {
            try promise(ends == 0, "an answer goes on behind its end")
            switch part {
            case .head(let head):
                try promise(final == 0, "an answer has two heads")
                try judge(head)
                guard !head.isInformational else { continue }
                final += 1
                if case .bytes(let count) = head.body { length = count }
                if head.body == .none { length = 0 }
            case .body(let bytes):
                try promise(final == 1 && bytes.readableBytes > 0, "a body stands before a head, or has no bytes")
                body += UInt64(bytes.readableBytes)
                try promise(body <= length ?? .max, "a body is longer than its head says")
            case .end(let trailers):
                try promise(final == 1 && body == length ?? body, "an answer that is not whole ends well")
                ends += 1
                try promise(trailers.all.allSatisfy { !$0.key.hasPrefix(":") }, "a head stands behind the body")
            }
        }
        try promise(body <= UInt64(count), "more body than bytes")
        try promise(refusals.count <= 1 && (refusals.isEmpty || ends == 0), "an answer is whole and refused")
        let isPlain = refusals.allSatisfy { FuzzTarget.isOneLine($0) && $0.utf8.count < 1024 }
        try promise(isPlain, "a refusal steers a terminal")
    }

    /// For a client that speaks HTTP/1 it is one head with the same fields.
    private func judge(_ head: ResponseHead) throws {
        try promise((100...599).contains(head.status) && head.status != 101, "a status is none")
        var text = "HTTP/1.1 \(head.status) \(head.reason)\r\n"
        for field in head.fields.all { text += "\(field.name): \(field.value)\r\n" }
        var reader = HTTP1Reader(.response, headBytesMax: 1 << 16, fieldsMax: 30)
        reader.answering = request.method
        reader.append(ByteBuffer(string: text + "\r\n"))
        guard case .head(let again)? = try? reader.next() else {
            throw FuzzFinding("a head cannot be written in HTTP/1")
        }
        try promise(again.fields == head.fields, "a head reads differently in HTTP/1")
        try promise(reader.unreadBytes == 0, "a head is more than one in HTTP/1")
    }
}
