import NIOCore

/// Questions as datagrams: each is answered on its own.
final class DatagramNames: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias OutboundOut = AddressedEnvelope<ByteBuffer>

    private let responder: NamesResponder

    init(_ responder: NamesResponder) { self.responder = responder }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let question = unwrapInboundIn(data)
        // A program that does not take its answers gets no more of them: nothing piles up here.
        guard context.channel.isWritable else { return }
        let message = Array(question.data.readableBytesView)
        switch responder.respond(to: message, by: .datagram, on: context.eventLoop) {
        case .silence, .tooMany: break
        case .now(let bytes): context.write(wrapOutboundOut(Self.envelope(bytes, question.remoteAddress)), promise: nil)
        case .later(let future):
            let channel = context.channel
            future.whenSuccess { bytes in
                guard channel.isWritable else { return }
                channel.writeAndFlush(Self.envelope(bytes, question.remoteAddress), promise: nil)
            }
        }
    }

    func channelReadComplete(context: ChannelHandlerContext) { context.flush() }

    /// A datagram that could not be sent or received is lost, as datagrams are; the socket stays.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}

    private static func envelope(_ bytes: [UInt8], _ address: SocketAddress) -> AddressedEnvelope<ByteBuffer> {
        AddressedEnvelope(remoteAddress: address, data: ByteBuffer(bytes: bytes))
    }
}
