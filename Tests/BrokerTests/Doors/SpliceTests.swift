import Broker
import BrokerLink
import Egress
import Glibc
import Synchronization
import Testing

@Suite("a spliced connection behaves like one connection")
struct SpliceTests {
    /// A listed name on a port without TLS, and both ends of a tunnel to it.
    private static func tunnel(_ yard: TestYard, _ listener: borrowing Listener) throws -> (Wire, Wire) {
        let (client, head) = try yard.connect("p\(listener.port).example.com:9000")
        #expect(head.hasPrefix("HTTP/1.1 200 "))
        return (client, listener.accept())
    }

    private static func pattern(_ index: Int) -> [UInt8] {
        (0..<65_536).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ index) }
    }

    /// Runs functions at once, each on a thread of its own: they block.
    private static func atOnce(_ bodies: [@Sendable () -> Void]) {
        let threads = bodies.map { body in
            var thread = pthread_t()
            let box = Unmanaged.passRetained(Box(body))
            pthread_create(
                &thread,
                nil,
                { raw in
                    if let raw { Unmanaged<Box>.fromOpaque(raw).takeRetainedValue().body() }
                    return nil
                },
                box.toOpaque()
            )
            return thread
        }
        for thread in threads { pthread_join(thread, nil) }
    }

    private final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    @Test func muchPassesBothWaysAtOnceUnchanged() throws {
        let yard = try TestYard(allow: ["*.example.com:9000"])
        defer { yard.stop() }
        let listener = Listener()
        let (client, server) = try Self.tunnel(yard, listener)
        let rounds = 400
        let wrong = Atomic(0)
        func write(_ wire: Wire) -> @Sendable () -> Void {
            {
                for index in 0..<rounds { try? wire.say(Self.pattern(index)) }
                wire.end()
            }
        }
        func read(_ wire: Wire) -> @Sendable () -> Void {
            {
                for index in 0..<rounds where (try? wire.hear(exactly: 65_536)) != Self.pattern(index) {
                    wrong.add(1, ordering: .relaxed)
                }
                if (try? wire.hear())?.isEmpty != true { wrong.add(1, ordering: .relaxed) }
            }
        }
        Self.atOnce([write(client), write(server), read(client), read(server)])
        #expect(wrong.load(ordering: .relaxed) == 0)
        let record = yard.ledger.first { $0.treatment == .spliced }
        #expect(record?.bytesOut == UInt64(rounds * 65_536))
        #expect(record?.bytesIn == UInt64(rounds * 65_536))
    }

    @Test func aClientThatNeverReadsStopsItsServerAndNobodyElse() throws {
        let yard = try TestYard(allow: ["*.example.com:9000"])
        defer { yard.stop() }
        let listener = Listener()
        let (_client, server) = try Self.tunnel(yard, listener)
        // The server is stopped by a full connection, long before so much is written.
        _ = fcntl(server.descriptor, F_SETFL, O_NONBLOCK)
        let block = [UInt8](repeating: 1, count: 65_536)
        var written = 0
        var stalls = 0
        while written < 256 << 20, stalls < 20 {
            let count = send(server.descriptor, block, block.count, Int32(MSG_NOSIGNAL))
            if count > 0 {
                written += count
                stalls = 0
            } else {
                stalls += 1
                usleep(20_000)
            }
        }
        #expect(stalls == 20)
        #expect(written < 64 << 20)
        let (other, otherServer) = try Self.tunnel(yard, listener)
        try other.say("x")
        #expect(try otherServer.hear(exactly: 1) == [UInt8(ascii: "x")])
        _ = _client
    }

    @Test func aResetIsCarriedOver() throws {
        let yard = try TestYard(allow: ["*.example.com:9000"])
        defer { yard.stop() }
        let listener = Listener()
        let (client, server) = try Self.tunnel(yard, listener)
        try client.say("x")
        _ = try server.hear(exactly: 1)
        var abrupt = linger(l_onoff: 1, l_linger: 0)
        setsockopt(client.descriptor, SOL_SOCKET, SO_LINGER, &abrupt, socklen_t(MemoryLayout.size(ofValue: abrupt)))
        // A descriptor stays for the wire to close.
        let null = open("/dev/null", O_RDONLY | O_CLOEXEC)
        dup2(null, client.descriptor)
        close(null)
        #expect(throws: Wire.Failure.self) { try server.hear() }
        #expect(yard.ledger.first { $0.ending?.contains("reset") == true } != nil)
    }

    @Test func silenceEndsIt() throws {
        var limits = BrokerLimits()
        limits.idleSeconds = 0.6
        let yard = try TestYard(allow: ["*.example.com:9000"], limits: limits)
        defer { yard.stop() }
        let listener = Listener()
        let (client, server) = try Self.tunnel(yard, listener)
        #expect(client.hearAll().isEmpty)
        #expect(server.hearAll().isEmpty)
        #expect(yard.ledger.first { $0.ending?.contains("idleSeconds") == true } != nil)
    }

    @Test func aPolicyThatForbidsItEndsItWithinASecond() throws {
        let yard = try TestYard(allow: ["*.example.com:9000", "*.example.com:9001"])
        defer { yard.stop() }
        let listener = Listener()
        let (client, server) = try Self.tunnel(yard, listener)
        let (kept, _) = try yard.connect("p\(listener.port).example.com:9001")
        let keptServer = listener.accept()
        try server.say([UInt8](repeating: 1, count: 100_000))
        #expect(try client.hear(exactly: 10).count == 10)
        let clock = ContinuousClock()
        let started = clock.now
        try yard.replace(allow: ["*.example.com:9001"])
        _ = client.hearAll()
        #expect(server.hearAll().isEmpty)
        #expect(clock.now - started < .seconds(5))
        #expect(yard.ledger.first { $0.port == 9000 }?.ending?.contains("the policy changed") == true)
        try keptServer.say("on")
        #expect(try kept.hear(exactly: 2) == Array("on".utf8))
        // A host whose requests must be seen from now on is not copied any more.
        try yard.replace(allow: ["GET http://p\(listener.port).example.com:9001/"])
        #expect(kept.hearAll().isEmpty)
    }

    @Test func theEndOfTheRunEndsThem() throws {
        let yard = try TestYard(allow: ["*.example.com:9000"])
        let listener = Listener()
        let (client, server) = try Self.tunnel(yard, listener)
        yard.stop()
        #expect(client.hearAll().isEmpty)
        #expect(server.hearAll().isEmpty)
        #expect(yard.ledger.first { $0.ending == "the run is over" } != nil)
    }

    @Test func thousandsOfSilentConnectionsDoNotHinderAnother() throws {
        var limit = rlimit()
        getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let before = limit
        limit.rlim_cur = min(limit.rlim_max, 65_536)
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        defer { var back = before; setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &back) }
        let count = min(2_000, Int(limit.rlim_cur) / 6)
        var limits = BrokerLimits()
        limits.connectionsPerSecond = 1_000_000
        let yard = try TestYard(allow: ["*.example.com:9000"], limits: limits)
        defer { yard.stop() }
        let listener = Listener()
        var idle: [Wire] = []
        for _ in 0..<count {
            let (client, server) = try Self.tunnel(yard, listener)
            idle += [client, server]
        }
        #expect(yard.keeper.crossings.count == count)
        let (client, server) = try Self.tunnel(yard, listener)
        try client.say("x")
        #expect(try server.hear(exactly: 1) == [UInt8(ascii: "x")])
    }
}
