import Broker
import BrokerLink
import Domain
import Egress
import Glibc
import NIOCore
import NIOPosix

/// `egress PORT`: opens the doors on loopback and keeps them open until the program ends; the answer says their ports.
///
/// The server on that port of loopback is a declared upstream, `pPORT.example.com:9000`. Decisions and dialling are
/// those of the product; records are thrown away.
enum EgressBench {
    static func serve(_ words: [String]) throws -> JSONValue {
        guard words.count == 2, let port = UInt16(words[1]) else { throw BenchRequestError("egress PORT") }
        let name = "p\(port).example.com"
        let upstream = try Upstream(host: name, port: 9000, address: "127.0.0.1:\(port)", ca: nil)
        var limits = BrokerLimits()
        limits.connectionsPerSecond = 1_000_000
        let policy = NetworkPolicy(allow: [try NetworkRule("\(name):9000")], upstreams: [upstream])
        let store = SettingsStore(BrokerSettings(policy: policy, limits: limits))
        let keeper = Doorkeeper(
            settings: store,
            judge: Judge { _, _ in false },
            relay: try Relay(),
            dialing: Dialer(settings: store),
            forwarding: NoForwarding(),
            ledger: NoLedger()
        )
        let doors = Doors(keeper, group: MultiThreadedEventLoopGroup(numberOfThreads: 1)) { _ in nil }
        var ports: [JSONValue] = []
        for role in [ListenerRole.proxy, .socks] {
            let (descriptor, port) = try listener()
            doors.serve(descriptor, as: role)
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

private struct NoForwarding: RequestForwarding {
    func forward(_ approach: Approach, client: any Channel, head: ByteBuffer, isTLS: Bool) {
        client.close(promise: nil)
    }
}

private struct NoLedger: ConnectionLedger {
    func record(_ record: ConnectionRecord) {}
}
