import BrokerLink
import CLinux
import Egress
import Glibc
import NIOCore
import NIOPosix

/// A listening socket inside a sandbox, and what its visitors meet.
struct Door: Sendable {
    let descriptor: Int32
    let keeper: Doorkeeper
    private let role: ListenerRole
    private let group: MultiThreadedEventLoopGroup
    private let nameOf: Doors.NameLookup

    init(
        _ descriptor: Int32,
        _ role: ListenerRole,
        _ keeper: Doorkeeper,
        _ group: MultiThreadedEventLoopGroup,
        _ nameOf: @escaping Doors.NameLookup
    ) {
        self.descriptor = descriptor
        self.role = role
        self.keeper = keeper
        self.group = group
        self.nameOf = nameOf
    }

    enum Arrival {
        case visitor(Visitor)
        /// Nobody waits any more.
        case nobody
        /// There is no room for another socket.
        case full
    }

    /// Lets one in.
    func accept(as id: SpliceID) -> Arrival {
        let socket = bailey_accept(descriptor)
        guard socket >= 0 else {
            // Somebody who left before he was let in is nobody.
            return [EAGAIN, EINTR, ECONNABORTED].contains(errno) ? .nobody : .full
        }
        return .visitor(Visitor(id, self, greeting(socket), socket))
    }

    private func greeting(_ socket: Int32) -> any Greeting {
        switch role {
        case .proxy: return ProxyGreeting()
        case .socks: return SOCKSGreeting()
        case .gateway:
            let (_, port) = OutsideSocket.localPlace(of: socket)
            return GatewayGreeting(port: port, providers: keeper.settings.current.providers)
        case .transparent, .datagramNames, .streamNames, .published:
            let (address, port) = OutsideSocket.localPlace(of: socket)
            return TransparentGreeting(address: address, port: port, name: address.flatMap(nameOf))
        }
    }

    /// Dials by way of SwiftNIO, and tells the relay.
    func dial(_ target: ConnectTarget, for id: SpliceID) {
        let (relay, dialing, loop) = (keeper.relay, keeper.dialing, group.next())
        loop.flatSubmit { dialing.dial(target, on: loop) }.whenComplete { result in
            relay.landed(id, result.flatMap { dialled in Result { try Landing(dialled) } })
        }
    }

    /// Gives a visitor's socket to whoever reads its requests.
    func forward(_ socket: Int32, _ approach: Approach, head: [UInt8], isTLS: Bool, _ pass: Crossings.Pass) {
        let keeper = keeper
        ClientBootstrap(group: group)
            .channelOption(.autoRead, value: false)
            .channelOption(.allowRemoteHalfClosure, value: true)
            .channelOption(.recvAllocator, value: ReadSize.allocator)
            .channelOption(.maxMessagesPerRead, value: ReadSize.callsMax)
            .withConnectedSocket(socket)
            .whenComplete { result in
                switch result {
                case .failure: keeper.crossings.leave(pass)
                case .success(let channel):
                    channel.closeFuture.whenComplete { _ in keeper.crossings.leave(pass) }
                    // What follows is for a channel that is active.
                    channel.eventLoop.execute {
                        let head = ByteBuffer(bytes: head)
                        keeper.forwarding.forward(approach, client: channel, head: head, isTLS: isTLS)
                    }
                }
            }
    }
}

/// A connection to the outside that was made elsewhere.
struct Landing: Sendable {
    /// Whoever takes it closes it.
    let descriptor: Int32
    let address: CheckedAddress

    /// Takes the socket out of its channel. On the channel's loop.
    init(_ dialled: Dialled) throws {
        let channel = dialled.channel
        defer { channel.close(promise: nil) }
        let made = try channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
            fcntl($0, F_DUPFD_CLOEXEC, 0)
        }
        guard let made, made >= 0 else { throw DialFailure("\(dialled.address) has no socket left") }
        OutsideSocket.sendAtOnce(made)
        descriptor = made
        address = dialled.address
    }
}
