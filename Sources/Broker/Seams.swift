package import BrokerLink
package import Egress
package import NIOCore

/// Where one connection of a sandbox wants to go, as a door understood it. Nothing has been decided yet.
package struct Approach: Sendable {
    package let door: ConnectionRecord.Door
    package let target: ConnectTarget

    package init(door: ConnectionRecord.Door, target: ConnectTarget) {
        self.door = door
        self.target = target
    }
}

/// Opens connections to the outside. The only one that does; it looks names up, has the guard check every answer of
/// every look-up, and dials checked addresses alone.
package protocol Dialing: Sendable {
    /// - Returns: a connected channel with `autoRead` off and no handlers, on the given loop, and its address.
    /// - Throws: through the future: `EgressRefusal` where the guard or the names refused, ``DialFailure`` where nobody
    ///   answered.
    func dial(_ target: ConnectTarget, on loop: any EventLoop) -> EventLoopFuture<Dialled>

    /// The address that would be dialled, where it is known and the only one. It is judged now: whoever takes it dials
    /// it at once, or not at all.
    ///
    /// - Returns: nil where something must be looked up or tried first, as ``dial(_:on:)`` does.
    func known(_ target: ConnectTarget) throws(EgressRefusal) -> CheckedAddress?

    /// Hears that nobody answered there.
    func failed(_ target: ConnectTarget)
}

/// A connection to the outside.
package struct Dialled: Sendable {
    package let channel: any Channel
    package let address: CheckedAddress

    package init(channel: any Channel, address: CheckedAddress) {
        self.channel = channel
        self.address = address
    }
}

/// Nobody answered; nothing was refused.
package struct DialFailure: Error, Sendable, Equatable {
    /// A sentence without its full stop, lower case, that names the destination.
    package let reason: String
    /// Nobody said no: the time ran out.
    package let isTimeout: Bool

    package init(_ reason: String, isTimeout: Bool = false) {
        self.reason = reason
        self.isTimeout = isTimeout
    }

    /// What is answered in HTTP.
    package var status: Int { isTimeout ? 504 : 502 }
}

/// Takes over a connection of the sandbox whose requests must be seen: plain HTTP, and TLS that is terminated. It owns
/// the channel from then on, decides on every request, dials, and records.
package protocol RequestForwarding: Sendable {
    /// - Parameters:
    ///   - client: the sandbox's side, `autoRead` off, without handlers that read.
    ///   - head: what was read from it already.
    ///   - isTLS: whether the client begins with a ClientHello.
    func forward(_ approach: Approach, client: any Channel, head: ByteBuffer, isTLS: Bool)
}

/// Takes records down. It never blocks.
package protocol ConnectionLedger: Sendable {
    func record(_ record: ConnectionRecord)
}

/// Tells of what models are used for.
package protocol ModelLedger: Sendable {
    /// Tells of a request before it leaves. It never blocks.
    ///
    /// - Parameter loop: where an answer that comes later is heard.
    func announce(_ report: ModelReport, on loop: any EventLoop) -> Announcement

    /// Tells of what became of it. It never blocks.
    func record(_ report: ModelReport)
}

/// What became of telling of a request before it leaves.
package enum Announcement: Sendable {
    /// It is heard, whatever becomes of this process.
    case told
    /// Nobody is sure to hear it; nothing may leave.
    case untold
    /// Whoever hears it is behind.
    ///
    /// - Parameters:
    ///   - isTold: what became of it, which is never taken back.
    ///   - withdraw: it is not to be told any more, unless it is already.
    case waits(_ isTold: EventLoopFuture<Bool>, withdraw: @Sendable () -> Void)
}
