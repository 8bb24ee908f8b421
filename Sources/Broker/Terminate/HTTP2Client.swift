import BrokerLink
import Domain
import Egress
import NIOCore
import NIOHPACK
import NIOHTTP2

/// The sandbox's side in HTTP/2: one stream, which is one request and its answer.
final class HTTP2Client: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload
    typealias OutboundOut = HTTP2Frame.FramePayload

    private enum Part {
        case body(ByteBuffer)
        case end(HTTPFields)
    }

    var place: RequestPlace?
    private let connection: ClientConnection
    private var context: ChannelHandlerContext?
    private var exchange: Exchange?
    /// What came and was not asked for yet; the stream's window bounds it.
    private var parts: [Part] = []
    private var hasBegun = false
    private var inputIsOver = false
    private var outputIsOver = false
    private var wantsPart = true
    private var isPumping = false

    init(_ connection: ClientConnection) { self.connection = connection }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) { context.read() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .headers(let frame): take(frame)
        case .data(let frame):
            guard case .byteBuffer(let bytes) = frame.data else { return }
            if bytes.readableBytes > 0 { parts.append(.body(bytes)) }
            if frame.endStream { endInput(HTTPFields()) }
            pump()
        default: break
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) { pump() }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { exchange?.clientWritable() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {}

    func channelInactive(context: ChannelHandlerContext) {
        leave("the client left")
        place = nil
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        leave("the client ended the stream")
        context.close(promise: nil)
    }

    private func leave(_ reason: String) {
        let exchange = exchange
        self.exchange = nil
        exchange?.clientGone(reason)
    }

    private func endInput(_ trailers: HTTPFields) {
        guard !inputIsOver else { return }
        inputIsOver = true
        parts.append(.end(trailers))
    }

    private func take(_ frame: HTTP2Frame.FramePayload.Headers) {
        do throws(HTTPRefusal) {
            let (pseudo, fields) = try HTTP2Fields.read(frame.headers, 400, connection.limits.headFields)
            guard !hasBegun else {
                guard pseudo.isEmpty else { throw HTTPRefusal(400, "http-syntax", "a request begins twice") }
                try HTTPTrailers.check(fields, 400)
                endInput(fields)
                return pump()
            }
            hasBegun = true
            wantsPart = false
            inputIsOver = frame.endStream
            let request = try connection.reading.read(pseudo: pseudo, fields: fields, isEnd: frame.endStream)
            let exchange = Exchange(request, client: self, connection: connection)
            self.exchange = exchange
            exchange.begin()
        } catch {
            refuse(error)
        }
    }

    private func refuse(_ refusal: HTTPRefusal) {
        connection.recordRefusal(refusal)
        leave(refusal.reason)
        guard !outputIsOver else { return }
        let answer = OwnAnswer.failed(refusal.status, rule: refusal.rule.description, refusal.reason)
        write(answer.head)
        write(body: answer.body)
        writeEnd(HTTPFields())
        flush()
    }

    private func pump() {
        guard !isPumping else { return }
        isPumping = true
        while wantsPart, let exchange, !parts.isEmpty {
            wantsPart = false
            switch parts.removeFirst() {
            case .body(let bytes): exchange.clientBody(bytes)
            case .end(let trailers): exchange.clientEnd(trailers)
            }
        }
        isPumping = false
        // What is there already comes within this call.
        if wantsPart, !inputIsOver { context?.read() }
    }
}

extension HTTP2Client: ExchangeClient {
    var isWritable: Bool { context?.channel.isWritable ?? false }

    func write(_ head: ResponseHead) {
        guard !outputIsOver else { return }
        var block = HPACKHeaders([(":status", String(head.status))])
        HTTP2Fields.write(head.fields, to: &block)
        send(.headers(.init(headers: block, endStream: false)))
    }

    func write(body: ByteBuffer) {
        guard !outputIsOver else { return }
        send(.data(.init(data: .byteBuffer(body), endStream: false)))
    }

    func writeEnd(_ trailers: HTTPFields) {
        guard !outputIsOver else { return }
        outputIsOver = true
        exchange = nil
        guard let context else { return }
        let last: HTTP2Frame.FramePayload
        if trailers.all.isEmpty {
            last = .data(.init(data: .byteBuffer(ByteBuffer()), endStream: true))
        } else {
            var block = HPACKHeaders()
            HTTP2Fields.write(trailers, to: &block)
            last = .headers(.init(headers: block, endStream: true))
        }
        let written = context.writeAndFlush(wrapOutboundOut(last))
        // Whatever is still coming in for this request is of no use, once the answer is out.
        let client = NIOLoopBound(self, eventLoop: context.eventLoop)
        if !inputIsOver { written.whenSuccess { client.value.reset(.noError) } }
    }

    func flush() { context?.flush() }

    func readMore() {
        wantsPart = true
        pump()
    }

    /// Never asked for: a stream does not become a WebSocket here.
    func becomeRaw() { abort() }

    func abort() {
        exchange = nil
        guard !outputIsOver else { return }
        outputIsOver = true
        reset(.internalError)
    }

    private func reset(_ code: HTTP2ErrorCode) {
        send(.rstStream(code))
        flush()
    }

    private func send(_ payload: HTTP2Frame.FramePayload) { context?.write(wrapOutboundOut(payload), promise: nil) }
}

/// Header blocks of HTTP/2.
enum HTTP2Fields {
    /// Parts a block into what begins with a colon and what does not, in one spelling for all that follows.
    static func read(
        _ block: HPACKHeaders,
        _ status: Int,
        _ fieldsMax: Int
    ) throws(HTTPRefusal) -> ([String: String], HTTPFields) {
        guard block.count <= fieldsMax + 8 else {
            throw HTTPRefusal(
                status == 400 ? 431 : 502,
                "limit-head-fields",
                "the head has more than \(fieldsMax) fields"
            )
        }
        var pseudo: [String: String] = [:]
        var fields = HTTPFields()
        var cookies: [String] = []
        for (name, value, _) in block {
            guard value.utf8.allSatisfy(HTTPSyntax.isFieldContent) else {
                throw HTTPRefusal(status, "http-syntax", "a field's value holds a control character")
            }
            if name.hasPrefix(":") {
                guard pseudo.updateValue(value, forKey: name) == nil else {
                    throw HTTPRefusal(status, "http-syntax", "\(EgressRefusal.quoted(name.utf8)) stands twice")
                }
            } else if !HTTPSyntax.isToken(name.utf8) {
                throw HTTPRefusal(status, "http-syntax", "a field's name is no token")
            } else if name == "cookie" {
                cookies.append(value)
            } else {
                fields.append(name, value)
            }
        }
        // They may come apart in HTTP/2, and belong together everywhere else.
        if !cookies.isEmpty { fields.append("cookie", cookies.joined(separator: "; ")) }
        return (pseudo, fields)
    }

    static func write(_ fields: HTTPFields, to block: inout HPACKHeaders) {
        for field in fields.all where field.key != "connection" { block.add(name: field.key, value: field.value) }
    }
}

/// Speaks HTTP/2 with a client of the sandbox.
enum HTTP2Inside {
    /// Streams of one connection that are open at once.
    static let streamsMax = 100
    /// Bytes of one stream, and of all of them, that may come before somebody takes them.
    static let streamWindow = 64 << 10
    static let connectionWindow = 1 << 20

    static func install(_ connection: ClientConnection, on channel: any Channel) throws {
        var settings = NIOHTTP2Handler.ConnectionConfiguration()
        settings.initialSettings = [
            HTTP2Setting(parameter: .maxConcurrentStreams, value: streamsMax),
            HTTP2Setting(parameter: .maxHeaderListSize, value: connection.limits.headBytes),
            HTTP2Setting(parameter: .initialWindowSize, value: streamWindow),
        ]
        settings.targetWindowSize = connectionWindow
        var streams = NIOHTTP2Handler.StreamConfiguration()
        streams.targetWindowSize = streamWindow
        streams.outboundBufferSizeHighWatermark = 64 << 10
        streams.outboundBufferSizeLowWatermark = 32 << 10
        let bound = NIOLoopBound(connection, eventLoop: channel.eventLoop)
        let handler = NIOHTTP2Handler(
            mode: .server,
            eventLoop: channel.eventLoop,
            connectionConfiguration: settings,
            streamConfiguration: streams
        ) { stream in
            stream.eventLoop.makeCompletedFuture {
                try stream.syncOptions?.setOption(ChannelOptions.autoRead, value: false)
                try stream.pipeline.syncOperations.addHandler(HTTP2Client(bound.value))
            }
        }
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(handler)
        try pipeline.addHandler(HTTP2InsideEnd(connection))
        // Windows keep what comes within bounds.
        try channel.syncOptions?.setOption(ChannelOptions.autoRead, value: true)
        channel.read()
    }
}

/// Notices the end of a connection that speaks HTTP/2.
final class HTTP2InsideEnd: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame

    private let connection: ClientConnection

    init(_ connection: ClientConnection) { self.connection = connection }

    func channelInactive(context: ChannelHandlerContext) { connection.closed("the client left") }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed { connection.close() }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        // A client that hangs up, however rudely, broke no rule: many do so when they have what they wanted.
        if error is any NIOHTTP2Error { connection.recordBroken(error) }
        connection.close()
    }
}
