import NIOCore

/// Questions on a stream, each behind its length (RFC 1035, section 4.2.2). One is answered after the other, and no
/// more is read while answers wait to be taken.
final class StreamNames: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    /// Longer questions are no questions: a name and an OPT record have less.
    static let messageBytesMax = 4096
    /// Seconds without a whole question after which a stream is closed.
    private let idle: TimeAmount

    private let responder: NamesResponder
    private var buffer = ByteBuffer()
    private var isWaiting = false
    private var isReadHeld = false
    private var timer: Scheduled<Void>?

    init(_ responder: NamesResponder, idle: TimeAmount) {
        self.responder = responder
        self.idle = idle
    }

    func channelActive(context: ChannelHandlerContext) {
        restartTimer(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        buffer.writeBuffer(&bytes)
        answerWhole(context)
    }

    func read(context: ChannelHandlerContext) {
        if isWaiting || !context.channel.isWritable { isReadHeld = true } else { context.read() }
    }

    func channelWritabilityChanged(context: ChannelHandlerContext) {
        resumeReading(context)
        context.fireChannelWritabilityChanged()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

    private func answerWhole(_ context: ChannelHandlerContext) {
        while !isWaiting, context.channel.isActive, let message = nextMessage(context) {
            restartTimer(context)
            switch responder.respond(to: message, by: .stream, on: context.eventLoop) {
            case .silence, .tooMany: return context.close(promise: nil)
            case .now(let bytes): write(bytes, context)
            case .later(let future):
                isWaiting = true
                future.assumeIsolated().whenComplete { result in
                    self.isWaiting = false
                    guard context.channel.isActive, case .success(let bytes) = result else {
                        return context.close(promise: nil)
                    }
                    self.write(bytes, context)
                    self.answerWhole(context)
                    context.flush()
                    self.resumeReading(context)
                }
            }
        }
        context.flush()
        buffer.discardReadBytes()
    }

    private func nextMessage(_ context: ChannelHandlerContext) -> [UInt8]? {
        guard let length = buffer.getInteger(at: buffer.readerIndex, as: UInt16.self) else { return nil }
        guard length <= Self.messageBytesMax else {
            context.close(promise: nil)
            return nil
        }
        guard buffer.readableBytes >= 2 + Int(length) else { return nil }
        buffer.moveReaderIndex(forwardBy: 2)
        return buffer.readBytes(length: Int(length))
    }

    private func write(_ bytes: [UInt8], _ context: ChannelHandlerContext) {
        var framed = context.channel.allocator.buffer(capacity: bytes.count + 2)
        framed.writeInteger(UInt16(bytes.count))
        framed.writeBytes(bytes)
        context.write(wrapOutboundOut(framed), promise: nil)
    }

    private func resumeReading(_ context: ChannelHandlerContext) {
        guard isReadHeld, !isWaiting, context.channel.isWritable else { return }
        isReadHeld = false
        context.read()
    }

    private func restartTimer(_ context: ChannelHandlerContext) {
        timer?.cancel()
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: idle) { context.close(promise: nil) }
    }
}
