import Egress
import NIOCore
import NIOHPACK
import NIOHTTP2

/// The outer side in HTTP/2: one stream, which is one request and its answer.
final class HTTP2Server: ChannelInboundHandler {
    typealias InboundIn = HTTP2Frame.FramePayload

    let address: IPAddress
    let isReused: Bool
    private let connection: HTTP2Outside
    private var context: ChannelHandlerContext?
    private var exchange: Exchange?
    private let output = HTTP2Output()
    private var reader = HTTP2AnswerReader(answering: "GET", fieldsMax: 0)
    /// What came and was not asked for yet; the stream's window and the gate bound it.
    private var parts = CircularBuffer<HTTP2AnswerReader.Part>()
    /// 0 before the request has begun.
    private(set) var streamID: UInt32 = 0
    private var sawAnswer = false
    /// The server has said that it will not look at the request.
    private var isUnheard = false
    private var wantsPart = false
    private var isPumping = false

    init(_ connection: HTTP2Outside, isReused: Bool) {
        self.connection = connection
        self.isReused = isReused
        address = connection.address
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard exchange != nil, !reader.isOver else { return }
        do throws(HTTPRefusal) {
            switch unwrapInboundIn(data) {
            case .headers(let frame):
                sawAnswer = true
                parts.append(contentsOf: try reader.take(frame.headers, isLast: frame.endStream))
            case .data(let frame):
                guard case .byteBuffer(let bytes) = frame.data else { return }
                parts.append(contentsOf: try reader.take(bytes, isLast: frame.endStream))
            case .pushPromise: connection.fail(HTTP2Outside.pushed)
            default: break
            }
        } catch {
            reset(.protocolError)
            gone(ServerLoss(error.reason))
        }
        pump()
    }

    func channelReadComplete(context: ChannelHandlerContext) { pump() }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { exchange?.serverWritable() }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {}

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let code = (error as? NIOHTTP2Errors.StreamClosed)?.errorCode {
            if code.isOfConnection {
                lose("a rule of HTTP/2 was broken on the stream: \(code)", nil)
            } else {
                lose(connection.failure ?? "the server reset the stream: \(code)", isUnheard ? .refusedStream : code)
            }
        } else {
            lose("the stream failed: \(error)", nil)
            context.close(promise: nil)
        }
    }

    func channelInactive(context: ChannelHandlerContext) {
        lose(connection.failure ?? "the server ended the connection before its answer was whole", nil)
        connection.ended(self)
    }

    /// The server has said which streams it looks at, and this one is not among them.
    func becomeUnheard() { isUnheard = true }

    /// What has not left by now is not sent any more.
    func giveUp() {
        guard !reader.isOver else { return }
        lose("the server takes no more requests on this connection", nil)
        reset(.cancel)
    }

    /// Takes back what waits here to leave, ends the stream, and lets go of its channel: one that never left is known
    /// to nobody outside.
    private func reset(_ code: HTTP2ErrorCode) {
        guard let context else { return }
        output.reset(code, to: context)
        context.close(promise: nil)
    }

    /// Nothing more will come. What is there already may be a whole answer.
    private func lose(_ reason: String, _ code: HTTP2ErrorCode?) {
        guard !reader.isOver else { return }
        var loss = ServerLoss(reason)
        loss.isEarly = !sawAnswer
        loss.isUntouched = code == .refusedStream || isUnheard || code == .http11Required
        loss.wantsHTTP1 = code == .http11Required
        loss.code = code
        gone(loss)
    }

    private func gone(_ loss: ServerLoss) {
        parts.removeAll()
        connection.gate.close(streamID)
        let exchange = exchange
        self.exchange = nil
        exchange?.serverGone(loss)
    }

    private func pump() {
        guard !isPumping else { return }
        isPumping = true
        while wantsPart, let exchange, !parts.isEmpty {
            wantsPart = false
            switch parts.removeFirst() {
            case .head(let head): exchange.serverHead(head)
            case .body(let bytes):
                connection.gate.take(streamID, bytes: bytes.readableBytes)
                exchange.serverBody(bytes)
            case .end(let trailers):
                self.exchange = nil
                connection.gate.close(streamID)
                exchange.serverEnd(trailers)
            }
        }
        isPumping = false
        exchange?.serverPaused()
        if wantsPart, !reader.isOver { context?.read() }
    }
}

extension HTTP2Server: ExchangeServer {
    var isWritable: Bool { context?.channel.isWritable ?? false }

    func begin(_ request: RequestHead, _ field: InjectedField?, for exchange: Exchange) {
        self.exchange = exchange
        reader = HTTP2AnswerReader(answering: request.method, fieldsMax: connection.fieldsMax)
        guard let context else { return }
        var block = request.http2Head
        // No table keeps it, here or on the way (RFC 7541, section 7.1.3).
        if let field { block.add(name: field.slot.field, value: field.text, indexing: .neverIndexed) }
        output.write(block, isAlone: request.body == .none, to: context)
    }

    func write(body: ByteBuffer) { context.map { output.write(body: body, to: $0) } }

    func writeEnd(_ trailers: HTTPFields) { context.map { output.writeEnd(trailers, to: $0) } }

    func flush() {
        guard let context else { return }
        context.flush()
        guard streamID == 0 else { return }
        // It has a number once its head has left.
        streamID = HTTP2Gate.id(of: context.channel)
        connection.gate.open(streamID)
    }

    func readMore() {
        wantsPart = true
        pump()
    }

    /// Never asked for: a WebSocket comes over a connection of its own.
    func becomeRaw() { cancel(.internalError) }

    func cancel(_ code: HTTP2ErrorCode) {
        exchange = nil
        parts.removeAll()
        connection.gate.close(streamID)
        guard let context else { return }
        guard output.hasBegun else { return context.close(promise: nil) }
        if !reader.isOver || !output.isOver { reset(code.passedOn) }
    }
}

/// How the answer to a request was lost.
struct ServerLoss {
    /// A sentence without its full stop, lower case.
    let reason: String
    /// Nothing of an answer came.
    var isEarly = false
    /// It is certain that the server did nothing for the request.
    var isUntouched = false
    /// The server wants the request over HTTP/1.1.
    var wantsHTTP1 = false
    /// What the server ended the stream with.
    var code: HTTP2ErrorCode?

    init(_ reason: String, isEarly: Bool = false) {
        self.reason = reason
        self.isEarly = isEarly
    }
}
