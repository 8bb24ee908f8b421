import Broker
import BrokerLink
import Domain
import Egress
import Glibc
import NIOCore
import NIOPosix
import Synchronization

/// The doors on loopback, with servers on loopback behind them. `pPORT.example.com` is the server on that port here, on
/// whatever port it is asked for; `dead.example.com` answers nobody, and `slow.example.com` not in time.
final class TestYard: Sendable {
    let store: SettingsStore
    let keeper: Doorkeeper
    let relay: Relay
    let ledger = TestLedger()
    let forwarder = TestForwarder()
    let dialing: TestDialing
    let proxyPort: UInt16
    let socksPort: UInt16
    /// A transparent door; what is connected to counts as the synthetic address of ``transparentName``.
    let transparentPort: UInt16
    private let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)

    /// - Parameter elsewhere: the port here of all names but `pPORT.example.com`.
    init(
        allow: [String],
        transparentName: String? = nil,
        limits: BrokerLimits = BrokerLimits(),
        elsewhere: UInt16? = nil
    ) throws {
        store = SettingsStore(
            BrokerSettings(policy: NetworkPolicy(allow: try allow.map { try NetworkRule($0) }), limits: limits)
        )
        relay = try Relay()
        dialing = TestDialing(elsewhere: elsewhere)
        keeper = Doorkeeper(
            settings: store,
            judge: Judge { name, settings in settings.forges.contains(name) },
            relay: relay,
            dialing: dialing,
            forwarding: forwarder,
            ledger: ledger
        )
        let name = try transparentName.map { try HostName($0) }
        let doors = Doors(keeper, group: group) { _ in name }
        var ports: [UInt16] = []
        for role in [ListenerRole.proxy, .socks, .transparent] {
            let listener = Listener()
            ports.append(listener.port)
            doors.serve(dup(listener.descriptor), as: role)
        }
        (proxyPort, socksPort, transparentPort) = (ports[0], ports[1], ports[2])
    }

    func stop() {
        relay.stop()
        try? group.syncShutdownGracefully()
    }

    func replace(allow: [String]) throws {
        var settings = store.current
        settings.policy.allow = try allow.map { try NetworkRule($0) }
        store.replace(settings)
    }

    /// Asks the proxy for a tunnel, and returns it with the head of the answer.
    func connect(_ target: String) throws -> (Wire, String) {
        let wire = try Wire(port: proxyPort)
        try wire.say("CONNECT \(target) HTTP/1.1\r\nHost: \(target)\r\n\r\n")
        return (wire, try wire.hearHead())
    }
}

final class TestLedger: ConnectionLedger {
    private let records = Mutex<[ConnectionRecord]>([])

    func record(_ record: ConnectionRecord) { records.withLock { $0.append(record) } }

    var all: [ConnectionRecord] { records.withLock { $0 } }

    /// Waits for a record that fits.
    func first(where fits: (ConnectionRecord) -> Bool) -> ConnectionRecord? {
        for _ in 0..<2000 {
            if let found = all.first(where: fits) { return found }
            usleep(10_000)
        }
        return nil
    }
}

/// Says what was handed to it, and hangs up.
final class TestForwarder: RequestForwarding {
    struct Handed: Sendable, Equatable {
        var target: String
        var head: [UInt8]
        var isTLS: Bool
    }

    private let handed = Mutex<[Handed]>([])

    var all: [Handed] { handed.withLock { $0 } }

    func forward(_ approach: Approach, client: any Channel, head: ByteBuffer, isTLS: Bool) {
        let one = Handed(target: approach.target.description, head: Array(head.readableBytesView), isTLS: isTLS)
        handed.withLock { $0.append(one) }
        client.writeAndFlush(ByteBuffer(string: "forwarded\n")).whenComplete { _ in client.close(promise: nil) }
    }
}

/// Dials loopback, and counts how often it was asked.
final class TestDialing: Dialing {
    private let elsewhere: UInt16?
    private let asked = Mutex(0)

    init(elsewhere: UInt16?) { self.elsewhere = elsewhere }

    var questions: Int { asked.withLock { $0 } }

    /// Names of servers are known; the others are dialled.
    func known(_ target: ConnectTarget) throws(EgressRefusal) -> CheckedAddress? {
        asked.withLock { $0 += 1 }
        guard case .name(let name) = target.host, let label = name.text.split(separator: ".").first,
            label.hasPrefix("p"), let port = UInt16(label.dropFirst())
        else { return nil }
        return try Self.address(name, target, port)
    }

    func failed(_ target: ConnectTarget) {}

    private static func address(
        _ name: HostName,
        _ target: ConnectTarget,
        _ port: UInt16
    ) throws(EgressRefusal) -> CheckedAddress {
        AddressGuard().check(
            try Upstream(host: name.text, port: target.port, address: "127.0.0.1:\(port)", ca: nil)
        )
    }

    func dial(_ target: ConnectTarget, on loop: any EventLoop) -> EventLoopFuture<Dialled> {
        guard case .name(let name) = target.host, let label = name.text.split(separator: ".").first,
            let port = label.hasPrefix("p") ? UInt16(label.dropFirst()) : elsewhere,
            let address = try? SocketAddress(ipAddress: "127.0.0.1", port: Int(port))
        else {
            let isSlow = target.host.description.hasPrefix("slow.")
            return loop.makeFailedFuture(DialFailure("\(target) did not answer", isTimeout: isSlow))
        }
        return ClientBootstrap(group: loop)
            .channelOption(.autoRead, value: false)
            .connect(to: address)
            .flatMapThrowing { channel in
                Dialled(channel: channel, address: try Self.address(name, target, port))
            }
    }
}
