package import BrokerLink
package import Egress
import Glibc
import Synchronization

/// Gets sockets in the sandbox's network after it has begun: listening ones, since on a port from 1024 on a name has
/// its own, which is made when the name gets its address; and connected ones, to a port that the run publishes.
package final class LaterListeners: Sendable {
    private let maker: Mutex<PacketLink?>

    /// A maker that does not answer in this time is none.
    private static let answerMilliseconds: Int32 = 2000

    package init(maker: PacketLink) { self.maker = Mutex(maker) }

    /// Asks for one and waits, a fraction of a millisecond as a rule.
    ///
    /// - Returns: the socket, which listens.
    /// - Throws: ``LinkError`` where there is none; EADDRINUSE means that a program inside has taken the address.
    package func make(_ request: ListenerRequest) throws(LinkError) -> HandedListener {
        HandedListener(request: request, descriptor: try ask(request))
    }

    /// A socket that connects to the sandbox's own loopback; what comes of it is seen when it is used.
    ///
    /// - Parameter address: says which of the two loopback addresses.
    package func connect(_ address: IPAddress, port: UInt16) throws(LinkError) -> Int32 {
        try ask(ListenerRequest(role: .published, address: address, port: port))
    }

    private func ask(_ request: ListenerRequest) throws(LinkError) -> Int32 {
        try maker.withLock { maker throws(LinkError) in
            guard let link = maker else { throw LinkError("make a socket: nobody makes any more") }
            guard case .sent = try link.send(request.bytes) else { throw LinkError("make a socket: nobody is there") }
            var wait = pollfd(fd: link.descriptor, events: Int16(POLLIN), revents: 0)
            // An answer that came late would be taken for the next one's.
            guard poll(&wait, 1, Self.answerMilliseconds) == 1 else {
                maker = nil
                throw LinkError("make a socket: no answer came")
            }
            guard case .packet(let packet) = try link.receive(bytesMax: 1, waits: false) else {
                maker = nil
                throw LinkError("make a socket: no answer came")
            }
            guard packet.bytes == [0], packet.descriptor >= 0 else {
                if packet.descriptor >= 0 { close(packet.descriptor) }
                let reason = String(cString: strerror(Int32(packet.bytes.first ?? 0)))
                throw LinkError("make a socket for \(request.address.bracketed):\(request.port): \(reason)")
            }
            return packet.descriptor
        }
    }
}
