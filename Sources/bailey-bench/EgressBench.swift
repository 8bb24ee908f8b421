import Broker
import BrokerLink
import Domain
import Egress
import Glibc
import NIOCore
import NIOPosix

/// `egress`: opens the doors on loopback and keeps them open until the program ends; the answer says their ports.
///
/// Servers are on loopback, too: `pPORT.example.com` is the one on that port, whatever port is asked for. There is no
/// guard and no policy here but the one that lets these through: what is measured is the way of the bytes.
enum EgressBench {
    static func serve() throws -> JSONValue {
        let rules = try ["*.example.com", "*.example.com:9000"].map { try NetworkRule($0) }
        var limits = BrokerLimits()
        limits.connectionsPerSecond = 1_000_000
        let store = SettingsStore(BrokerSettings(policy: NetworkPolicy(allow: rules), limits: limits))
        let keeper = Doorkeeper(
            settings: store,
            judge: Judge { _, _ in false },
            relay: try Relay(),
            dialing: LoopbackDialing(),
            forwarding: NoForwarding(),
            ledger: NoLedger()
        )
        let doors = Doors(keeper, group: MultiThreadedEventLoopGroup(numberOfThreads: 1)) { _ in nil }
        var ports: [JSONValue] = []
        for role in [ListenerRole.proxy, .socks] {
            let (descriptor, port) = try listener()
            _ = try doors.serve(descriptor, as: role).wait()
            ports.append(.unsigned(UInt64(port)))
        }
        return .object([("proxy", ports[0]), ("socks", ports[1]), ("process", .unsigned(UInt64(getpid())))])
    }

    private static func listener() throws -> (Int32, UInt16) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout.size(ofValue: address))
        let isBound = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                bind(descriptor, raw, length) == 0 && listen(descriptor, 4096) == 0
                    && getsockname(descriptor, raw, &length) == 0
            }
        }
        guard isBound else { throw BenchRequestError("no listening socket: \(String(cString: strerror(errno)))") }
        return (descriptor, UInt16(bigEndian: address.sin_port))
    }
}

private struct LoopbackDialing: Dialing {
    func dial(_ target: ConnectTarget, on loop: any EventLoop) -> EventLoopFuture<Dialled> {
        guard case .name(let name) = target.host, let label = name.text.split(separator: ".").first,
            let port = UInt16(label.dropFirst()),
            let address = try? SocketAddress(ipAddress: "127.0.0.1", port: Int(port))
        else { return loop.makeFailedFuture(DialFailure("\(target) is no pPORT.example.com")) }
        return ClientBootstrap(group: loop)
            .channelOption(.autoRead, value: false)
            .connect(to: address)
            .flatMapThrowing { channel in
                let upstream = try Upstream(host: name.text, port: target.port, address: "127.0.0.1:\(port)", ca: nil)
                return Dialled(channel: channel, address: AddressGuard().check(upstream))
            }
    }
}

private struct NoForwarding: RequestForwarding {
    func forward(_ approach: Approach, client: any Channel, head: ByteBuffer, isTLS: Bool) {
        client.close(promise: nil)
    }
}

private struct NoLedger: ConnectionLedger {
    func record(_ record: ConnectionRecord) {}
}
