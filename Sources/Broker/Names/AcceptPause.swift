import NIOCore

/// Waits a second where the kernel gives no further connection, for want of descriptors or memory: the socket stays
/// readable, so that to ask again at once would take a processor.
enum AcceptPause {
    @Sendable static func add(to channel: any Channel) -> EventLoopFuture<Void> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(AcceptBackoffHandler())
        }
    }
}
