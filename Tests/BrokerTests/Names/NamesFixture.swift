import Broker
import BrokerLink
import Domain
import Egress
import NIOCore
import NIOPosix
import Synchronization

/// Keeps what a resolver records.
final class NamesLedger: ConnectionLedger {
    private let kept = Mutex<[ConnectionRecord]>([])
    var records: [ConnectionRecord] { kept.withLock { $0 } }

    func record(_ record: ConnectionRecord) { kept.withLock { $0.append(record) } }
}

/// A resolver with its own policy, clock and ledger.
final class NamesFixture: Sendable {
    let settings: SettingsStore
    let names = SyntheticNames()
    let ledger = NamesLedger()
    let announced = Mutex<[(name: String, ports: [UInt16])]>([])
    let hook = Mutex<@Sendable (any EventLoop) -> EventLoopFuture<Void>>({ $0.makeSucceededVoidFuture() })
    let clock = Mutex(0.0)
    let loop: any EventLoop

    init(_ allow: [String], limits: BrokerLimits = BrokerLimits(), loop: (any EventLoop)? = nil) throws {
        var settings = BrokerSettings()
        settings.policy = NetworkPolicy(allow: try allow.map { try NetworkRule($0) })
        settings.limits = limits
        self.settings = SettingsStore(settings)
        self.loop = loop ?? MultiThreadedEventLoopGroup.singleton.next()
    }

    func allow(_ entries: [String]) throws {
        var next = settings.current
        next.policy.allow = try entries.map { try NetworkRule($0) }
        settings.replace(next)
    }

    func responder() -> NamesResponder {
        NamesResponder(
            settings: settings,
            names: names,
            ledger: ledger,
            seconds: { self.clock.withLock { $0 } },
            onName: { name, ports in
                self.announced.withLock { $0.append((name.name.text, ports)) }
                return self.hook.withLock { $0 }(self.loop)
            }
        )
    }
}

/// A question as programs send it.
struct TestQuestion {
    var id: UInt16 = 0x1234
    var flags: UInt16 = 0x0100
    var name: String
    var type: UInt16 = 1
    var network: UInt16 = 1
    /// Bytes of a datagram that the client takes; nil for a client without EDNS.
    var edns: UInt16?
    var version: UInt8 = 0

    init(_ name: String, _ type: UInt16 = 1, edns: UInt16? = nil) {
        self.name = name
        self.type = type
        self.edns = edns
    }

    static func wire(_ name: String) -> [UInt8] {
        name.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }

    static func word(_ value: UInt16) -> [UInt8] { [UInt8(value >> 8), UInt8(value & 0xFF)] }

    var bytes: [UInt8] {
        let counts: [UInt16] = [1, 0, 0, edns == nil ? 0 : 1]
        var bytes = ([id, flags] + counts).flatMap(Self.word) + Self.wire(name) + Self.word(type) + Self.word(network)
        if let edns { bytes += [0] + Self.word(41) + Self.word(edns) + [0, version, 0, 0, 0, 0] }
        return bytes
    }
}

/// An answer, taken apart by other code than the product's.
struct TestAnswer {
    let id: UInt16
    let flags: UInt16
    let counts: [Int]
    /// Data of the first record.
    let data: [UInt8]
    let bytes: [UInt8]

    init?(_ bytes: [UInt8]?) {
        guard let bytes, bytes.count >= 12 else { return nil }
        func word(_ at: Int) -> Int { Int(bytes[at]) << 8 | Int(bytes[at + 1]) }
        self.bytes = bytes
        id = UInt16(word(0))
        flags = UInt16(word(2))
        counts = [word(4), word(6), word(8), word(10)]
        var at = 12
        if counts[0] == 1 {
            while bytes[at] != 0 { at += 1 + Int(bytes[at]) }
            at += 5
        }
        guard counts[1] > 0 else {
            data = []
            return
        }
        let length = word(at + 10)
        data = Array(bytes[(at + 12)..<(at + 12 + length)])
    }

    var code: Int { Int(flags & 0xF) }
    var isTruncated: Bool { flags & 0x200 != 0 }
    var address: String {
        if data.count == 4 { return data.map(String.init).joined(separator: ".") }
        guard data.count == 16 else { return "" }
        func half(_ part: ArraySlice<UInt8>) -> UInt64 { part.reduce(0) { $0 << 8 | UInt64($1) } }
        return IPv6Address(high: half(data[..<8]), low: half(data[8...])).description
    }
    var text: String { String(decoding: bytes, as: UTF8.self) }
}
