import Broker
import BrokerLink
import Domain
import Egress
import Files
import Glibc
import NIOCore
import NIOPosix

/// `egress PORT [ROOT [inject]]`: opens the doors on loopback and keeps them open until the program ends; the
/// answer says their ports.
///
/// The server on that port of loopback is a declared upstream, `pPORT.example.com:9000`. With a file of its root, it
/// speaks TLS and is `pPORT.example.com:443`, whose requests are seen; the answer holds the certificate of the
/// authority that vouches for it. With `inject`, each request gets a secret, which is looked for in what comes back.
/// Decisions and dialling are those of the product; records are thrown away.
enum EgressBench {
    static func serve(_ words: [String]) throws -> JSONValue {
        guard (2...4).contains(words.count), let port = UInt16(words[1]), words.count < 4 || words[3] == "inject" else {
            throw BenchRequestError("egress PORT [ROOT [inject]]")
        }
        let root = words.count > 2 ? words[2] : nil
        let store = SettingsStore(try settings(port, root))
        let values = SecretStore()
        if words.count == 4 {
            var settings = store.current
            settings.secrets = [try secret(port, values)]
            store.replace(settings)
        }
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let dialer = Dialer(settings: store)
        let authority = try RunAuthority(policy: store.current.policy, certificatesMax: 16) { Double(time(nil)) }
        let keeper = Doorkeeper(
            settings: store,
            // What an upstream says is its own, unless it is a forge.
            judge: Judge { _, _ in root != nil },
            relay: try Relay(),
            dialing: dialer,
            forwarding: RequestForwarder(
                settings: store,
                authority: authority,
                dialing: dialer,
                ledger: NoLedger(),
                values: values
            ),
            ledger: NoLedger()
        )
        let doors = Doors(keeper, group: group) { _ in nil }
        var ports: [JSONValue] = []
        for role in [ListenerRole.proxy, .socks] {
            let (descriptor, port) = try listener()
            doors.serve(descriptor, as: role)
            ports.append(.unsigned(UInt64(port)))
        }
        return .object([
            ("proxy", ports[0]), ("socks", ports[1]), ("process", .unsigned(UInt64(getpid()))),
            ("authority", .string(authority.pem)),
        ])
    }

    /// A key of the length that keys have.
    private static func secret(_ port: UInt16, _ values: SecretStore) throws -> HeldSecret {
        let binding = try SecretBinding(host: "p\(port).example.com", slot: try HeaderSlot(field: "x-api-key"))
        var random = SystemRandomNumberGenerator()
        let held = HeldSecret(
            name: "BENCH_KEY",
            placeholder: Placeholder(prefix: "", length: 100, random: &random),
            bindings: [binding]
        )
        let key = (0..<100).map { _ in UInt8.random(in: UInt8(ascii: "a")...UInt8(ascii: "z"), using: &random) }
        key.withUnsafeBytes { values.put($0, for: held) }
        return held
    }

    private static func settings(_ port: UInt16, _ root: String?) throws -> BrokerSettings {
        let name = "p\(port).example.com"
        let asked: UInt16 = root == nil ? 9000 : 443
        let upstream = try Upstream(host: name, port: asked, address: "127.0.0.1:\(port)", ca: root)
        let rule = try NetworkRule("\(name):\(asked)")
        var limits = BrokerLimits()
        limits.connectionsPerSecond = 1_000_000
        var settings = BrokerSettings(policy: NetworkPolicy(allow: [rule], upstreams: [upstream]), limits: limits)
        if let root {
            let bytes = try FileContent.read(trustedPath: root, bytesMax: 1 << 20)
            settings.upstreamRoots[upstream.name] = String(decoding: bytes, as: UTF8.self)
        }
        return settings
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

private struct NoLedger: ConnectionLedger {
    func record(_ record: ConnectionRecord) {}
}
