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
    /// - Parameter role: what the socket is for; the resolver's and published ones are not served here.
    package func serve(_ descriptor: Int32, as role: ListenerRole) -> EventLoopFuture<any Channel> {
        let (keeper, nameOf) = (keeper, nameOf)
        return ServerBootstrap(group: group)
            .childChannelOption(.autoRead, value: false)
            .childChannelOption(.allowRemoteHalfClosure, value: true)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    let (address, port) = Self.place(channel.localAddress)
                    let greeting: any Greeting
                    switch role {
                    case .proxy: greeting = ProxyGreeting()
                    case .socks: greeting = SOCKSGreeting()
                    case .transparent, .datagramNames, .streamNames, .published:
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
        return (address.ipAddress.flatMap { IPAddress($0) }?.unmapped, port)
    }
}
