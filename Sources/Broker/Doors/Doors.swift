package import BrokerLink
package import Egress
import Glibc
package import NIOPosix

/// The sockets inside a sandbox by which its programs come: an HTTP proxy, SOCKS, and addresses that stand for names.
package struct Doors: Sendable {
    /// Says which name an address inside stands for.
    package typealias NameLookup = @Sendable (IPAddress) -> HostName?

    private let keeper: Doorkeeper
    private let group: MultiThreadedEventLoopGroup
    private let nameOf: NameLookup

    /// - Parameter group: where names are looked up, and requests are read.
    package init(_ keeper: Doorkeeper, group: MultiThreadedEventLoopGroup, nameOf: @escaping NameLookup) {
        self.keeper = keeper
        self.group = group
        self.nameOf = nameOf
    }

    /// Serves a listening socket, which it takes over. Whoever connects before the relay looks at it waits that long.
    ///
    /// - Parameter role: what the socket is for; the resolver's and published ones are not served here.
    package func serve(_ descriptor: Int32, as role: ListenerRole) {
        _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
        OutsideSocket.sendAtOnce(descriptor)
        keeper.relay.open(Door(descriptor, role, keeper, group, nameOf))
    }
}
