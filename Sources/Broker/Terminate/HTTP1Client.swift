import BrokerLink
import Egress
import NIOCore
import NIOHTTP2

/// The sandbox's side in HTTP/1: one request after another, each answered before the next one is read.
final class HTTP1Client: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    /// Of a request that is not passed on, what is read and thrown away so that its answer is not lost with it.
    private static let drainedBytesMax = 1 << 20
    private static let drainSeconds: Int64 = 2

    var place: RequestPlace?
    private let connection: ClientConnection
    private var context: ChannelHandlerContext?
    private var reader: HTTP1Reader
    private let output = OutputBuffer()
    private var exchange: Exchange?
    private var reply = RequestHead.Reply()
    private var chunks = false
    private var requestIsOver = true
    private var answerHasBegun = false
    private var answerIsOver = true
    private var isRaw = false

    private var wantsPart = true
    private var isPumping = false
    private var isReading = false
    private var inputHasEnded = false
    private var isDraining = false
    private var drained = 0
    private var headTimer: Scheduled<Void>?

    init(_ connection: ClientConnection) {
        self.connection = connection
        reader = HTTP1Reader(
            .request,
            headBytesMax: connection.limits.headBytes,
            fieldsMax: connection.limits.headFields
        )
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        armHeadTimer()
        if context.channel.isActive { pump() }
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) {
        pump()
        context.fireChannelActive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let bytes = unwrapInboundIn(data)
        if isDraining {
            drained += bytes.readableBytes
            if drained > Self.drainedBytesMax { return close() }
        }
        reader.append(bytes)
        pump()
        if requestIsOver, answerIsOver, !reader.isBetweenMessages { armHeadTimer() }
    }

    func channelReadComplete(context: ChannelHandlerContext) {
        isReading = false
        pump()
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        if context.channel.isWritable {
            exchange?.clientWritable()
            pump()
        }
        context.fireChannelWritabilityChanged()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard let event = event as? ChannelEvent, event == .inputClosed else {
            return context.fireUserInboundEventTriggered(event)
        }
        inputHasEnded = true
        pump()
    }

    func channelInactive(context: ChannelHandlerContext) {
        headTimer?.cancel()
        connection.closed("the client left")
        exchange = nil
        place = nil
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { connection.close() }

    /// Reads parts as long as somebody wants them and there are any.
    private func pump() {
        guard !isPumping, let context else { return }
        isPumping = true
        while wantsPart, !connection.isClosed, mayGoOn {
            do throws(HTTPRefusal) {
                var part = try reader.next()
                if part == nil, inputHasEnded { part = try reader.finish() }
                guard let part else {
                    if inputHasEnded, requestIsOver || isDraining, answerIsOver { closeAfterFlush() }
                    break
                }
                wantsPart = false
                take(part)
            } catch {
                wantsPart = false
                refuse(error)
            }
        }
        isPumping = false
        let isWanted = wantsPart ? mayGoOn : reader.unreadBytes < HTTP1Reader.aheadBytesMax
        if isWanted, !isReading, !inputHasEnded, !connection.isClosed, context.channel.isActive {
            isReading = true
            context.read()
        }
    }

    /// Who asks on and takes no answers gets no more of them: they would wait here without end.
    private var mayGoOn: Bool { !(requestIsOver && answerIsOver) || isDraining || isWritable }

    private func take(_ part: HTTP1Reader.Part) {
        switch part {
        case .head(let head): begin(head)
        case .body(let bytes):
            if answerIsOver { wantsPart = true }
            exchange?.clientBody(bytes)
        case .end(let trailers):
            requestIsOver = true
            if answerIsOver { return nextRequest() }
            exchange?.clientEnd(trailers)
            if isRaw, inputHasEnded { close() }
        }
    }

    private func begin(_ head: HTTP1Head) {
        headTimer?.cancel()
        headTimer = nil
        requestIsOver = false
        answerIsOver = false
        answerHasBegun = false
        do throws(HTTPRefusal) {
            let request = try connection.reading.read(head)
            if request.body == .none { requestIsOver = try reader.next() != nil }
            reply = request.reply
            let exchange = Exchange(request, client: self, connection: connection)
            self.exchange = exchange
            exchange.begin()
        } catch {
            refuse(error)
        }
    }

    /// What is no request gets an answer, and the connection ends: nobody knows where the next one would begin.
    private func refuse(_ refusal: HTTPRefusal) {
        if isDraining { return close() }
        connection.recordRefusal(refusal)
        if let exchange {
            self.exchange = nil
            exchange.clientGone(refusal.reason)
        }
        guard !isRaw, !answerHasBegun || answerIsOver else { return close() }
        reply.isLast = true
        reply.isOld = false
        let answer = OwnAnswer.failed(refusal.status, rule: refusal.rule.description, refusal.reason)
        write(answer.head)
        write(body: answer.body)
        output.write("")
        flush()
        answerIsOver = true
        closeSoon()
    }

    private func nextRequest() {
        exchange = nil
        place = nil
        guard !reply.isLast, !isDraining else { return closeAfterFlush() }
        reply = RequestHead.Reply()
        wantsPart = true
        if reader.unreadBytes > 0 { armHeadTimer() }
        pump()
    }

    /// A head must be whole soon after it has begun.
    private func armHeadTimer() {
        guard headTimer == nil, let loop = context?.eventLoop else { return }
        let delay = TimeAmount.nanoseconds(Int64(connection.limits.greetingSeconds * 1e9))
        headTimer = loop.assumeIsolated().scheduleTask(in: delay) { [weak self] in
            self?.headTimer = nil
            guard let self, requestIsOver, answerIsOver, !reader.isBetweenMessages else { return }
            refuse(HTTPRefusal(408, "limit-greeting", "the head was not whole in time"))
        }
    }

    /// Reads on for a while and throws it away: to close with something unread would take the answer with it.
    private func closeSoon() {
        if requestIsOver, reader.unreadBytes == 0 { return closeAfterFlush() }
        isDraining = true
        wantsPart = true
        context?.eventLoop.assumeIsolated().scheduleTask(in: .seconds(Self.drainSeconds)) { [weak self] in self?.close()
        }
        pump()
    }

    private func closeAfterFlush() {
        guard let context else { return }
        isDraining = true
        wantsPart = false
        flush()
        let connection = NIOLoopBound(connection, eventLoop: context.eventLoop)
        context.writeAndFlush(NIOAny(ByteBuffer())).whenComplete { _ in connection.value.close() }
    }

    private func close() { connection.close() }
}

extension HTTP1Client: ExchangeClient {
    var isWritable: Bool { context?.channel.isWritable ?? false }

    func write(_ head: ResponseHead) {
        guard context != nil else { return }
        output.write("HTTP/1.1 ", String(head.status), " ", head.reason, "\r\n")
        for field in head.fields.all where field.key != "connection" { output.write(field) }
        if head.status == 101 {
            output.write("Connection: Upgrade\r\nUpgrade: websocket\r\n")
        } else if !head.isInformational {
            chunks = false
            switch head.body {
            case .none: break
            // HTTP/2 ends a message without saying how long it is.
            case .bytes(let count):
                if !head.fields.contains("content-length") { output.write("Content-Length: \(count)\r\n") }
            case .open, .untilEnd:
                chunks = !reply.isOld
                if chunks { output.write("Transfer-Encoding: chunked\r\n") } else { reply.isLast = true }
            }
            answerHasBegun = true
            if head.isLast { reply.isLast = true }
            if reply.isLast { output.write("Connection: close\r\n") }
        }
        output.write("\r\n")
    }

    func write(body: ByteBuffer) {
        guard let context else { return }
        if chunks { output.write(chunk: body, to: context) } else { output.write(body, to: context) }
    }

    func writeEnd(_ trailers: HTTPFields) {
        guard !answerIsOver else { return }
        if isRaw { return closeAfterFlush() }
        if chunks {
            output.write("0\r\n")
            for field in trailers.all { output.write(field) }
            output.write("\r\n")
        }
        flush()
        answerIsOver = true
        exchange = nil
        if requestIsOver { nextRequest() } else { closeSoon() }
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

    var hearsResets: Bool { false }

    func abort(_ code: HTTP2ErrorCode) {
        flush()
        close()
    }
}
