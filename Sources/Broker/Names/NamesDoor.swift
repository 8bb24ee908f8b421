package import BrokerLink
package import NIOCore
import NIOPosix
import Synchronization

/// Listens for questions on sockets that were made in the sandbox's namespace.
package enum NamesDoor {
    /// Streams that are open at once; who opens more is closed. Programs ask by datagram as a rule.
    static let streamsMax = 256
    /// Datagrams that are read at once, so that a flood takes few system calls, and other connections their turn.
    private static let datagramsAtOnce = 16
    /// Bytes of one datagram; what is longer is cut, and so no question.
    private static let datagramBytesMax = 2048

    /// A stream is closed because of it.
    private struct TooManyStreams: Error {}

    /// - Parameter socket: bound, UDP. It belongs to the channel from now on.
    package static func serveDatagrams(
        _ socket: CInt,
        _ responder: NamesResponder,
        on loop: any EventLoop
    ) -> EventLoopFuture<any Channel> {
        DatagramBootstrap(group: loop)
            .channelOption(.datagramVectorReadMessageCount, value: datagramsAtOnce)
            .channelOption(
                .recvAllocator,
                value: FixedSizeRecvByteBufferAllocator(capacity: datagramsAtOnce * datagramBytesMax)
            )
            .channelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(DatagramNames(responder))
                }
            }
            .withBoundSocket(socket)
    }

    /// - Parameter socket: bound and listening, TCP. It belongs to the channel from now on.
    package static func serveStreams(
        _ socket: CInt,
        _ responder: NamesResponder,
        limits: BrokerLimits,
        on loop: any EventLoop
    ) -> EventLoopFuture<any Channel> {
        let open = OpenStreams()
        let idle = TimeAmount.milliseconds(Int64(limits.greetingSeconds * 1000))
        return ServerBootstrap(group: loop)
            .serverChannelInitializer(AcceptPause.add)
            .childChannelInitializer { channel in
                guard open.enter(streamsMax) else { return channel.eventLoop.makeFailedFuture(TooManyStreams()) }
                channel.closeFuture.whenComplete { _ in open.leave() }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(StreamNames(responder, idle: idle))
                }
            }
            .childChannelOption(.maxMessagesPerRead, value: 1)
            .withBoundSocket(socket)
    }
}

/// Counts streams.
private final class OpenStreams: Sendable {
    private let count = Mutex(0)

    func enter(_ most: Int) -> Bool {
        count.withLock { count in
            guard count < most else { return false }
            count += 1
            return true
        }
    }

    func leave() { count.withLock { $0 -= 1 } }
}
