package import BrokerLink
package import Egress
package import NIOCore
package import NIOPosix

/// The sockets inside a sandbox by which its programs come: an HTTP proxy, SOCKS, and addresses that stand for names.
package struct Doors: Sendable {
    /// Says which name an address inside stands for.
    package typealias NameLookup = @Sendable (IPAddress) -> HostName?

    private let keeper: Doorkeeper
    private let group: MultiThreadedEventLoopGroup
    private let nameOf: NameLookup

    package init(_ keeper: Doorkeeper, group: MultiThreadedEventLoopGroup, nameOf: @escaping NameLookup) {
        self.keeper = keeper
        self.group = group
        self.nameOf = nameOf
    }

    /// Serves a listening socket, which it takes over.
    ///
    /// - Parameter role: what the socket is for; the resolver's are not served here.
    package func serve(_ descriptor: Int32, as role: ListenerRole) -> EventLoopFuture<any Channel> {
        let (keeper, nameOf) = (keeper, nameOf)
        return ServerBootstrap(group: group)
            .serverChannelInitializer(AcceptPause.add)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let (address, port) = Self.place(channel.localAddress)
                    let greeting: any Greeting
                    switch role {
                    case .proxy: greeting = ProxyGreeting()
                    case .socks: greeting = SOCKSGreeting()
                    case .transparent, .datagramNames, .streamNames:
                        greeting = TransparentGreeting(address: address, port: port, name: address.flatMap(nameOf))
                    }
                    try channel.pipeline.syncOperations.addHandler(Visitor(keeper, greeting))
                }
            }
            .withBoundSocket(descriptor)
    }

    /// A socket's own address; an IPv4 address that a socket of both families shows is given as such.
    static func place(_ address: SocketAddress?) -> (IPAddress?, UInt16) {
        guard let address, let port = address.port.flatMap(UInt16.init(exactly:)) else { return (nil, 0) }
        let place = address.ipAddress.flatMap { IPAddress($0) }
        guard case .v6(let v6) = place, v6.high == 0, v6.low >> 32 == 0xFFFF else { return (place, port) }
        return (.v4(IPv4Address(value: UInt32(truncatingIfNeeded: v6.low))), port)
    }
}

/// Waits a second where the kernel gives no further connection, for want of descriptors or memory: the socket stays
/// readable, so that to ask again at once would take a processor.
enum AcceptPause {
    @Sendable static func add(to channel: any Channel) -> EventLoopFuture<Void> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(AcceptBackoffHandler())
        }
    }
}
