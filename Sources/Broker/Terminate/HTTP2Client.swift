import BrokerLink
import Domain
import Egress
import NIOCore
import NIOHPACK
import NIOHTTP2

/// The sandbox's side in HTTP/2: one stream, which is one request and its answer.
final class HTTP2Client: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload

    private enum Part {
        case body(ByteBuffer)
        case end(HTTPFields)
    }

    var place: RequestPlace?
    private let connection: ClientConnection
    private let gate: HTTP2Gate
    private var context: ChannelHandlerContext?
    private var streamID: UInt32 = 0
    private var exchange: Exchange?
    private let output = HTTP2Output()
    /// What came and was not asked for yet; the stream's window and the gate bound it.
    private var parts = CircularBuffer<Part>()
    private var hasBegun = false
    private var inputIsOver = false
    private var wantsPart = true
    private var isPumping = false

    init(_ connection: ClientConnection, _ gate: HTTP2Gate) {
        self.connection = connection
        self.gate = gate
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        streamID = HTTP2Gate.id(of: context.channel)
        gate.open(streamID)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        gate.close(streamID)
    }

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
        let code = (error as? NIOHTTP2Errors.StreamClosed)?.errorCode ?? .cancel
        leave("the client ended the stream", code)
        context.close(promise: nil)
    }

    private func leave(_ reason: String, _ code: HTTP2ErrorCode = .cancel) {
        let exchange = exchange
        self.exchange = nil
        exchange?.clientGone(reason, code)
    }

    private func endInput(_ trailers: HTTPFields) {
        guard !inputIsOver else { return }
        inputIsOver = true
        parts.append(.end(trailers))
    }

    private func take(_ frame: HTTP2Frame.FramePayload.Headers) {
        do throws(HTTPRefusal) {
            guard !hasBegun else {
                endInput(try HTTP2Fields.readTrailers(frame.headers, 400, connection.limits.headFields))
                return pump()
            }
            hasBegun = true
            let head = try HTTP2Fields.read(frame.headers, 400, connection.limits.headFields)
            wantsPart = false
            inputIsOver = frame.endStream
            let request = try connection.reading.read(pseudo: head.pseudo, fields: head.fields, isEnd: frame.endStream)
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
        guard !output.isOver else { return }
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
            case .body(let bytes):
                gate.take(streamID, bytes: bytes.readableBytes)
                exchange.clientBody(bytes)
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
        guard let context else { return }
        var block = HPACKHeaders([(":status", String(head.status))])
        HTTP2Fields.write(head.fields, to: &block)
        let isAlone = !head.isInformational && (head.body == .none || head.body == .bytes(0))
        output.write(block, isAlone: isAlone, to: context)
    }

    func write(body: ByteBuffer) { context.map { output.write(body: body, to: $0) } }

    func writeEnd(_ trailers: HTTPFields) {
        exchange = nil
        guard !output.isOver, let context else { return }
        let written = context.eventLoop.makePromise(of: Void.self)
        output.writeEnd(trailers, to: context, promise: written)
        context.flush()
        // Whatever is still coming in for this request is of no use, once the answer is out.
        let client = NIOLoopBound(self, eventLoop: context.eventLoop)
        if !inputIsOver { written.futureResult.whenSuccess { client.value.reset(.noError) } }
    }

    func flush() { context?.flush() }

    func readMore() {
        wantsPart = true
        pump()
    }

    /// Never asked for: a stream does not become a WebSocket here.
    func becomeRaw() { abort(.internalError) }

    var hearsResets: Bool { true }

    func abort(_ code: HTTP2ErrorCode) {
        exchange = nil
        guard !output.isOver else { return }
        reset(code.passedOn)
    }

    private func reset(_ code: HTTP2ErrorCode) { context.map { output.reset(code, to: $0) } }
}

/// Speaks HTTP/2 with a client of the sandbox.
enum HTTP2Inside {
    static func install(_ connection: ClientConnection, on channel: any Channel) throws {
        let gate = HTTP2Gate(
            costMax: HTTP2Setup.inside.backlogMax,
            backlog: connection.backlog,
            hasPreface: true
        )
        let bound = NIOLoopBound((connection, gate), eventLoop: channel.eventLoop)
        let headBytes = connection.limits.headBytes
        let handler = HTTP2Setup.inside.handler(on: channel.eventLoop, headBytes: headBytes) { stream in
            stream.eventLoop.makeCompletedFuture {
                try stream.syncOptions?.setOption(ChannelOptions.autoRead, value: false)
                let (connection, gate) = bound.value
                try stream.pipeline.syncOperations.addHandler(HTTP2Client(connection, gate))
            }
        }
        let pipeline = channel.pipeline.syncOperations
        try pipeline.addHandler(gate)
        try pipeline.addHandler(handler)
        try pipeline.addHandler(HTTP2InsideEnd(connection))
        // Windows and the gate keep what comes within bounds.
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

    /// Whoever just goes away broke no rule.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        let isBroken = error is any NIOHTTP2Error || error is HTTPRefusal
        if isBroken, !connection.isClosed { connection.recordBroken(error) }
        connection.close()
    }
}
