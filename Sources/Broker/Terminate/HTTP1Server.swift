import Egress
import NIOCore
import NIOHTTP2
import NIOSSL

/// The outer side in HTTP/1: one exchange at a time, and the connection kept for the next one where both sides agree.
final class HTTP1Server: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    let address: IPAddress
    private(set) var isReused = false
    /// Called when it is free for another exchange.
    private let onFree: (HTTP1Server) -> Void
    /// Called when it is gone.
    private let onGone: (HTTP1Server) -> Void
    private var context: ChannelHandlerContext?
    private var reader: HTTP1Reader
    private let output = OutputBuffer()
    private var exchange: Exchange?
    private var chunks = false
    private var requestIsOver = true
    private var keepsAlive = true
    private var sawAnswer = false
    private var isRaw = false
    private var isClosing = false

    private var wantsPart = false
    private var isPumping = false
    private var isReading = false
    private var inputHasEnded = false
    /// Whoever cuts a TLS connection leaves it without its proper end.
    private var endIsUnclean = false

    init(
        address: IPAddress,
        headBytesMax: Int,
        fieldsMax: Int,
        onFree: @escaping (HTTP1Server) -> Void,
        onGone: @escaping (HTTP1Server) -> Void
    ) {
        self.address = address
        self.onFree = onFree
        self.onGone = onGone
        reader = HTTP1Reader(.response, headBytesMax: headBytesMax, fieldsMax: fieldsMax)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        // An answer that nobody asked for could be taken for the answer to the next request.
        guard exchange != nil else { return close() }
        sawAnswer = true
        reader.append(unwrapInboundIn(data))
        pump()
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        pump()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable { exchange?.serverWritable() }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? ChannelEvent, event == .inputClosed else {
            return context.fireUserInboundEventTriggered(event)
        }
        endInput()
    }

    func channelInactive(context: ChannelHandlerContext) { endInput() }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if case .some(.uncleanShutdown) = error as? NIOSSLError {
            endIsUnclean = true
            return
        }
        gone("the connection failed: \(error)")
        close()
    }

    private func endInput() {
        guard !inputHasEnded else { return }
        inputHasEnded = true
        if exchange == nil { close() } else { pump() }
    }

    /// Nothing more will come; what is there completes the answer or does not.
    private func finishInput() throws(HTTPRefusal) -> HTTP1Reader.Part? {
        let part = endIsUnclean ? nil : try reader.finish()
        if part == nil {
            gone("the server ended the connection before its answer was whole")
            close()
        }
        return part
    }

    private func gone(_ reason: String) {
        guard let exchange else { return }
        self.exchange = nil
        exchange.serverGone(ServerLoss(reason, isEarly: !sawAnswer))
    }

    private func pump() {
        guard !isPumping else { return }
        isPumping = true
        while wantsPart, let exchange {
            do throws(HTTPRefusal) {
                var part = try reader.next()
                if part == nil, inputHasEnded { part = try finishInput() }
                guard let part else { break }
                wantsPart = false
                try take(part, exchange)
            } catch {
                wantsPart = false
                gone(error.reason)
                close()
            }
        }
        isPumping = false
        exchange?.serverPaused()
        // While it waits for another request nothing may come, and its end is noticed.
        let isWanted = wantsPart || reader.unreadBytes < HTTP1Reader.aheadBytesMax
        if isWanted, !isReading, !inputHasEnded, !isClosing, let context { read(context) }
    }

    private func read(_ context: ChannelHandlerContext) {
        isReading = true
        context.read()
    }

    private func take(_ part: HTTP1Reader.Part, _ exchange: Exchange) throws(HTTPRefusal) {
        switch part {
        case .head(let head):
            let answer = try ResponseHead(head)
            if answer.status == 101, head.fields.members("upgrade") != ["websocket"] {
                throw HTTPRefusal(502, "http-upgrade", "the server switched to a protocol that nobody asked for")
            }
            if !answer.isInformational {
                let isLast = head.minorVersion == 0 || head.fields.members("connection").contains("close")
                keepsAlive = !isLast && head.body != .untilEnd
            }
            exchange.serverHead(answer)
        case .body(let bytes): exchange.serverBody(bytes)
        case .end(let trailers): end(exchange, trailers)
        }
    }

    private func end(_ exchange: Exchange, _ trailers: HTTPFields) {
        let isFree = keepsAlive && requestIsOver && reader.isBetweenMessages && !inputHasEnded && !isRaw
        self.exchange = nil
        if isFree { onFree(self) } else { close() }
        exchange.serverEnd(trailers)
    }

    func close() {
        guard !isClosing else { return }
        isClosing = true
        onGone(self)
        context?.close(promise: nil)
    }
}

extension HTTP1Server: ExchangeServer {
    var isWritable: Bool { context?.channel.isWritable ?? false }

    func begin(_ request: RequestHead, _ field: InjectedField?, for exchange: Exchange) {
        self.exchange = exchange
        isReused = sawAnswer
        sawAnswer = false
        requestIsOver = false
        reader.answering = request.method
        output.write(request, isOpen: field != nil)
        if let field, let context { output.write(secret: field, to: context) }
        if case .open = request.body { chunks = true } else { chunks = false }
    }

    func write(body: ByteBuffer) {
        guard let context else { return }
        if chunks { output.write(chunk: body, to: context) } else { output.write(body, to: context) }
    }

    func writeEnd(_ trailers: HTTPFields) {
        requestIsOver = true
        guard !isRaw else { return finish() }
        guard chunks else { return }
        output.write("0\r\n")
        for field in trailers.all { output.write(field) }
        output.write("\r\n")
    }

    func flush() { context.map { output.flush(to: $0) } }

    func readMore() {
        wantsPart = true
        pump()
    }

    func becomeRaw() {
        isRaw = true
        requestIsOver = false
        reader.becomeRaw()
    }

    func cancel(_ code: HTTP2ErrorCode) {
        exchange = nil
        close()
    }

    /// Everything that was written goes out, then the end.
    private func finish() {
        guard let context else { return }
        exchange = nil
        flush()
        let server = NIOLoopBound(self, eventLoop: context.eventLoop)
        context.writeAndFlush(NIOAny(ByteBuffer())).whenComplete { _ in server.value.close() }
    }
}
