import NIOCore
import NIOHPACK
import NIOHTTP2

/// What one side of a stream writes. A head without a body waits for the end, so that both are one frame: for gRPC an
/// answer is another one where they are two.
///
/// It is no value: what is written can come back, before the writing is over, as an event that asks it something.
final class HTTP2Output {
    private var held: HPACKHeaders?
    private(set) var hasBegun = false
    private(set) var isOver = false

    /// - Parameter isAlone: no body follows, and the end comes soon.
    func write(_ block: HPACKHeaders, isAlone: Bool, to context: ChannelHandlerContext) {
        guard !isOver else { return }
        hasBegun = true
        if isAlone { held = block } else { send(.headers(.init(headers: block, endStream: false)), to: context) }
    }

    func write(body: ByteBuffer, to context: ChannelHandlerContext) {
        guard !isOver, body.readableBytes > 0 else { return }
        release(to: context)
        send(.data(.init(data: .byteBuffer(body), endStream: false)), to: context)
    }

    func writeEnd(
        _ trailers: HTTPFields,
        to context: ChannelHandlerContext,
        promise: EventLoopPromise<Void>? = nil
    ) {
        guard !isOver else { return }
        isOver = true
        if trailers.all.isEmpty {
            if let block = held {
                held = nil
                send(.headers(.init(headers: block, endStream: true)), to: context, promise)
            } else {
                send(.data(.init(data: .byteBuffer(ByteBuffer()), endStream: true)), to: context, promise)
            }
        } else {
            release(to: context)
            var block = HPACKHeaders()
            HTTP2Fields.write(trailers, to: &block)
            send(.headers(.init(headers: block, endStream: true)), to: context, promise)
        }
    }

    /// Ends the stream in both directions.
    func reset(_ code: HTTP2ErrorCode, to context: ChannelHandlerContext) {
        isOver = true
        held = nil
        send(.rstStream(code), to: context)
        context.flush()
    }

    private func release(to context: ChannelHandlerContext) {
        guard let block = held else { return }
        held = nil
        send(.headers(.init(headers: block, endStream: false)), to: context)
    }

    private func send(
        _ payload: HTTP2Frame.FramePayload,
        to context: ChannelHandlerContext,
        _ promise: EventLoopPromise<Void>? = nil
    ) {
        context.write(NIOAny(payload), promise: promise)
    }
}
