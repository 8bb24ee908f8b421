import NIOCore

/// Collects what is written, so that a head and a short body leave in one piece.
///
/// It is no value: what is written can come back, before the writing is over, as an event that writes more.
final class OutputBuffer {
    /// What is longer goes out as it is: to copy it would cost more than a system call.
    private static let collectedBytesMax = 16 << 10

    /// Room for most heads, so that none has to grow on the way.
    private static let headBytes = 1024

    private var collected = ByteBuffer()
    private var isFlushed = true

    func write(_ texts: String...) {
        begin()
        collected.write(texts: texts)
    }

    func write(_ field: HTTPField) {
        begin()
        collected.write(field)
    }

    /// - Parameter isOpen: more fields follow.
    func write(_ request: RequestHead, isOpen: Bool) {
        begin()
        collected.write(request, isOpen: isOpen)
    }

    private func begin() {
        if collected.capacity == 0 { collected.reserveCapacity(Self.headBytes) }
        isFlushed = false
    }

    /// The last field of a head and the empty line behind it. What was written so far leaves in a piece of its own,
    /// which is wiped when it has left.
    func write(secret field: InjectedField, to context: ChannelHandlerContext) {
        // Nothing may make the buffer grow once the secret is in it.
        var bytes = context.channel.allocator.buffer(capacity: collected.readableBytes + field.count + 2)
        bytes.writeBuffer(&collected)
        collected = ByteBuffer()
        field.write(to: &bytes)
        bytes.writeStaticString("\r\n")
        isFlushed = false
        let written = context.eventLoop.makePromise(of: Void.self)
        let wiped = NIOLoopBound(bytes, eventLoop: context.eventLoop)
        written.futureResult.whenComplete { _ in wiped.value.wipe() }
        context.write(NIOAny(bytes), promise: written)
    }

    func write(_ bytes: ByteBuffer, to context: ChannelHandlerContext) {
        isFlushed = false
        if collected.readableBytes + bytes.readableBytes <= Self.collectedBytesMax {
            collected.writeImmutableBuffer(bytes)
        } else {
            pass(to: context)
            context.write(NIOAny(bytes), promise: nil)
        }
    }

    /// A chunk with its size before it.
    func write(chunk bytes: ByteBuffer, to context: ChannelHandlerContext) {
        guard bytes.readableBytes > 0 else { return }
        write(String(bytes.readableBytes, radix: 16) + "\r\n")
        // Within TLS each write becomes a record of its own, so that a copy is cheaper than three of them.
        collected.writeImmutableBuffer(bytes)
        collected.writeStaticString("\r\n")
        if collected.readableBytes > Self.collectedBytesMax { pass(to: context) }
    }

    func flush(to context: ChannelHandlerContext) {
        guard !isFlushed else { return }
        isFlushed = true
        pass(to: context)
        context.flush()
    }

    private func pass(to context: ChannelHandlerContext) {
        guard collected.readableBytes > 0 else { return }
        let bytes = collected
        collected = ByteBuffer()
        context.write(NIOAny(bytes), promise: nil)
    }
}
