import Broker
import BrokerLink
import Domain
import Glibc
import TestSupport
import Testing

@Suite("a client that waits for its connection outside")
struct DialWaitTests {
    /// A server on loopback that takes no connection any more: its queue of one is full.
    private struct Deaf: ~Copyable {
        let listener = Listener()
        private let waiting: [Int32]

        init() {
            let (port, descriptor) = (listener.port, listener.descriptor)
            listen(descriptor, 0)
            waiting = (0..<3).map { _ in
                let made = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
                _ = Loopback.withAddress(port) { connect(made, $0, $1) }
                return made
            }
        }

        deinit { for descriptor in waiting { close(descriptor) } }
    }

    @Test("is told when nobody answers in time")
    func late() throws {
        let deaf = Deaf()
        var limits = BrokerLimits()
        limits.dialSeconds = 0.2
        let yard = try TestYard(allow: ["*.example.com:9000"], limits: limits)
        defer { yard.stop() }
        let (client, head) = try yard.connect("p\(deaf.listener.port).example.com:9000")
        #expect(head.hasPrefix("HTTP/1.1 504 "))
        #expect(String(decoding: client.hearAll(), as: UTF8.self).contains("did not answer in time"))
        #expect(yard.ledger.first { $0.ending?.contains("in time") == true }?.verdict == .allow)
    }

    @Test("is told when it is refused")
    func refused() throws {
        let port = Listener().port
        let yard = try TestYard(allow: ["*.example.com:9000"])
        defer { yard.stop() }
        let (client, head) = try yard.connect("p\(port).example.com:9000")
        #expect(head.hasPrefix("HTTP/1.1 502 "))
        #expect(String(decoding: client.hearAll(), as: UTF8.self).contains("Connection refused"))
        #expect(yard.ledger.first { $0.ending?.contains("refused") == true } != nil)
    }

    @Test("and breaks off takes no place any more")
    func brokenOff() throws {
        let deaf = Deaf()
        var limits = BrokerLimits()
        limits.dialSeconds = 3600
        let yard = try TestYard(allow: ["*.example.com:9000"], limits: limits)
        defer { yard.stop() }
        let target = "p\(deaf.listener.port).example.com:9000"
        do {
            let client = try Wire(port: yard.proxyPort)
            try client.say("CONNECT \(target) HTTP/1.1\r\nHost: \(target)\r\n\r\n")
            while yard.dialing.questions == 0 { usleep(1000) }
            var abrupt = linger(l_onoff: 1, l_linger: 0)
            let length = socklen_t(MemoryLayout.size(ofValue: abrupt))
            setsockopt(client.descriptor, SOL_SOCKET, SO_LINGER, &abrupt, length)
        }
        for _ in 0..<2000 where yard.keeper.crossings.count > 0 { usleep(10_000) }
        #expect(yard.keeper.crossings.count == 0)
    }

    @Test("may say much that nobody reads, and still reads why it was denied")
    func deniedWhileTalking() throws {
        let yard = try TestYard(allow: ["api.example.com"])
        defer { yard.stop() }
        let client = try Wire(port: yard.proxyPort)
        try client.say("CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n")
        let block = [UInt8](repeating: 65, count: 65_536)
        for _ in 0..<32 { try client.say(block) }
        #expect(try client.hearHead().hasPrefix("HTTP/1.1 403 "))
    }
}
