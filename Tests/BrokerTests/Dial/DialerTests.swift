import BrokerLink
import Domain
import Egress
import Glibc
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import Broker

@Suite("only checked addresses are dialled, whatever name servers say")
struct DialerTests {
    private typealias Server = ScriptedNameServer

    /// A server with the same records for every name.
    private func server(_ records: @escaping @Sendable (Server.Question) -> [Server.Record]) throws -> Server {
        try Server { question in [.records(records(question).filter { $0.type == question.type || $0.type == 5 })] }
    }

    private static let good = "93.184.216.34"
    private static let goodV6 = "2606:2800:220:1::1"

    @Test("an ordinary name is dialled at its address, IPv6 first")
    func ordinary() throws {
        let server = try server { [.a($0.text, Self.good), .aaaa($0.text, Self.goodV6)] }
        let fixture = try DialFixture(["api.example.com"], servers: [server])
        #expect(try fixture.dial("api.example.com:443") == "[\(Self.goodV6)]:443")
        #expect(Set(server.questions.map(\.type)) == [1, 28])
    }

    struct Bad: Sendable {
        let rule: String
        let records: @Sendable (String) -> [ScriptedNameServer.Record]
    }

    static let badAnswers: [Bad] = [
        Bad(rule: "address-loopback") { [.a($0, "127.0.0.1")] },
        Bad(rule: "address-metadata") { [.a($0, "169.254.169.254")] },
        Bad(rule: "address-metadata") { [.a($0, good), .a($0, "169.254.169.254")] },
        Bad(rule: "address-private") { [.a($0, "10.0.0.1"), .aaaa($0, goodV6)] },
        Bad(rule: "address-link-local") { [.a($0, good), .aaaa($0, "fe80::1")] },
        Bad(rule: "address-embedded") { [.aaaa($0, "::ffff:10.0.0.5")] },
        Bad(rule: "address-embedded") { [.a($0, good), .aaaa($0, "64:ff9b::7f00:1")] },
        Bad(rule: "address-reserved") { [.a($0, "0.0.0.0")] },
        Bad(rule: "address-reserved") { [.a($0, "198.18.0.1")] },
        Bad(rule: "address-private") { _ in
            [.alias("api.example.com", "b.example.net"), .a("b.example.net", "10.0.0.1")]
        },
        Bad(rule: "name-internal") { [.alias($0, "localhost"), .a("localhost", good)] },
        Bad(rule: "name-internal") { [.alias($0, "metadata.google.internal"), .a("metadata.google.internal", good)] },
        Bad(rule: "name-internal") { [.alias($0, "localhost")] },
        Bad(rule: "host-numeric") { [.alias($0, "127.0.0.1"), .a("127.0.0.1", good)] },
        Bad(rule: "host-syntax") { [.alias($0, "a b.example.net"), .a("a b.example.net", good)] },
        Bad(rule: "name-internal") {
            [.alias($0, "b.example.net"), .alias("b.example.net", "x.local"), .a("x.local", good)]
        },
    ]

    @Test("one bad address or alias refuses the whole answer, and nothing is dialled", arguments: badAnswers.indices)
    func bad(_ index: Int) throws {
        let bad = Self.badAnswers[index]
        let server = try server { bad.records($0.text) }
        let fixture = try DialFixture(["api.example.com"], servers: [server])
        #expect(try fixture.dial("api.example.com:443") == bad.rule)
        #expect(fixture.dialled.withLock { $0 } == [])
    }

    @Test("a name that changes its address between two look-ups is judged each time")
    func rebinding() throws {
        let server = try server { [.a($0.text, $0.count == 0 ? Self.good : "127.0.0.1", life: 0)] }
        let fixture = try DialFixture(["api.example.com"], servers: [server])
        let dialer = fixture.dialer()
        #expect(try fixture.dial("api.example.com:443", dialer) == "\(Self.good):443")
        #expect(try fixture.dial("api.example.com:443", dialer) == "address-loopback")
        #expect(fixture.dialled.withLock { $0 } == ["\(Self.good):443"])
    }

    @Test("an address that the guard refuses from now on is not dialled from a kept answer")
    func keptAnswers() throws {
        let server = try server { [.a($0.text, Self.good, life: 3600)] }
        let fixture = try DialFixture(["api.example.com"], servers: [server])
        let dialer = fixture.dialer()
        #expect(try fixture.dial("api.example.com:443", dialer) == "\(Self.good):443")
        // On a busy machine a question may have been asked again.
        let asked = server.questions.count
        for _ in 0..<3 { #expect(try fixture.dial("api.example.com:443", dialer) == "\(Self.good):443") }
        #expect(server.questions.count == asked)
        var next = fixture.settings.current
        next.policy.addresses = AddressGuard(own: [try #require(IPAddress(Self.good))])
        fixture.settings.replace(next)
        #expect(try fixture.dial("api.example.com:443", dialer) == "address-own")
        #expect(server.questions.count > asked)
    }

    @Test("a policy that changes while a look-up runs counts")
    func policyChanges() throws {
        let store = Mutex<SettingsStore?>(nil)
        let server = try Server { question in
            if let store = store.withLock({ $0 }) {
                store.replace(BrokerSettings(nameServers: store.current.nameServers))
            }
            return [.records([.a(question.text, Self.good)])]
        }
        let fixture = try DialFixture(["api.example.com"], servers: [server])
        store.withLock { $0 = fixture.settings }
        #expect(try fixture.dial("api.example.com:443") == "network-unlisted")
        #expect(!server.questions.isEmpty && fixture.dialled.withLock { $0 } == [])
    }

    @Test(
        "what the policy does not allow is not even looked up",
        arguments: [
            "evil.example:443", "api.example.com:80", "127.0.0.1:443", "[::1]:443", "93.184.216.34:443",
            "localhost:443",
        ]
    )
    func unlisted(_ target: String) throws {
        let server = try server { [.a($0.text, Self.good)] }
        let fixture = try DialFixture(["api.example.com"], servers: [server])
        _ = try fixture.dial(target)
        #expect(fixture.dialled.withLock { $0 } == [] && server.questions.isEmpty)
    }

    @Test("an upstream is dialled at its one address and never looked up; its other ports are not there")
    func upstream() throws {
        let server = try server { [.a($0.text, Self.good)] }
        let upstream = try Upstream(host: "model.example.test", port: 443, address: "127.0.0.1:8443", ca: nil)
        let fixture = try DialFixture([], servers: [server], change: { $0.policy.upstreams = [upstream] })
        #expect(try fixture.dial("model.example.test:443") == "127.0.0.1:8443")
        #expect(try fixture.dial("model.example.test:8443") == "name-internal")
        #expect(fixture.dialled.withLock { $0 } == ["127.0.0.1:8443"] && server.questions.isEmpty)
    }

    @Test("an address is known that was declared, or looked up just now and is the only one; it is judged anew")
    func known() throws {
        let server = try server { question in
            let one = [Server.Record.a(question.text, Self.good)]
            return question.text.hasPrefix("two") ? one + [.a(question.text, "93.184.216.35")] : one
        }
        let upstream = try Upstream(host: "model.example.test", port: 443, address: "127.0.0.1:8443", ca: nil)
        let declare: (inout BrokerSettings) -> Void = { $0.policy.upstreams = [upstream] }
        let fixture = try DialFixture(["*.example.com"], servers: [server], change: declare)
        let dialer = fixture.dialer()
        func known(_ text: String) throws -> String? {
            try dialer.known(try ConnectTarget(Array(text.utf8)))?.description
        }
        #expect(try known("model.example.test:443") == "127.0.0.1:8443")
        #expect(throws: EgressRefusal.self) { try known("evil.example:443") }
        for name in ["one.example.com", "two.example.com"] {
            #expect(try known("\(name):443") == nil)
            _ = try fixture.dial("\(name):443", dialer)
        }
        #expect(try known("one.example.com:443") == "\(Self.good):443")
        #expect(try known("two.example.com:443") == nil)
        dialer.failed(try ConnectTarget(Array("one.example.com:443".utf8)))
        #expect(try known("one.example.com:443") == nil)
        _ = try fixture.dial("one.example.com:443", dialer)
        var next = fixture.settings.current
        next.policy.addresses = AddressGuard(own: [try #require(IPAddress(Self.good))])
        fixture.settings.replace(next)
        #expect(try known("one.example.com:443") == nil)
    }

    @Test("this host's own addresses are refused, also where nobody named them")
    func own() throws {
        for text in ["127.0.0.1", "127.8.9.10", "::1"] {
            #expect(OwnAddress.isOwn(try #require(IPAddress(text))), "\(text)")
        }
        #expect(!OwnAddress.isOwn(try #require(IPAddress("93.184.216.34"))))
    }

    @Test("names of the hosts file are judged as looked-up ones are")
    func knownNames() throws {
        let known = [
            try HostName("a.example.com"): [try #require(IPAddress(Self.good))],
            try HostName("b.example.com"): [try #require(IPAddress("10.1.1.1"))],
        ]
        let fixture = try DialFixture(["a.example.com", "b.example.com"], change: { $0.knownNames = known })
        #expect(try fixture.dial("a.example.com:443") == "\(Self.good):443")
        #expect(try fixture.dial("b.example.com:443") == "address-private")
    }

    @Test("nothing to connect to is an error and no fallback")
    func noAddress() throws {
        let server = try Server { $0.text == "gone.example.com" ? [.code(3)] : [.records([])] }
        let fixture = try DialFixture(["*.example.com"], servers: [server])
        for name in ["gone", "empty"] {
            #expect(try fixture.dial("\(name).example.com:443").contains("has no address"))
        }
        #expect(fixture.dialled.withLock { $0 } == [])
    }

    @Test("an address that does not answer holds up no other, and all of them failing says so")
    func race() throws {
        let server = try server { [.a($0.text, Self.good), .aaaa($0.text, Self.goodV6)] }
        let v4 = "\(Self.good):443"
        let hanging = try DialFixture(["api.example.com"], servers: [server]) { $0 == v4 ? .connects : .hangs }
        #expect(try hanging.dial("api.example.com:443") == v4)
        #expect(hanging.dialled.withLock { $0.count } == 2)
        hanging.outcomes.withLock { $0 = { _ in .refuses } }
        let refused = try hanging.dial("api.example.com:443")
        #expect(refused.contains("2 addresses were tried") && refused.contains("refused"))
        hanging.outcomes.withLock { $0 = { _ in .leadsElsewhere } }
        #expect(try hanging.dial("api.example.com:443").contains("leads elsewhere"))
    }

    @Test("a policy that changes between two attempts ends the race")
    func recheck() throws {
        let server = try server { [.a($0.text, Self.good), .aaaa($0.text, Self.goodV6)] }
        let fixture = try DialFixture(["api.example.com"], servers: [server])
        let store = fixture.settings
        fixture.outcomes.withLock {
            $0 = { _ in
                store.replace(BrokerSettings())
                return .refuses
            }
        }
        #expect(try fixture.dial("api.example.com:443") == "network-unlisted")
        #expect(fixture.dialled.withLock { $0 } == ["[\(Self.goodV6)]:443"])
    }

    @Test("dialling ends in time")
    func deadline() throws {
        let server = try server { [.a($0.text, Self.good)] }
        let fixture = try DialFixture(
            ["api.example.com"],
            servers: [server],
            outcomes: { _ in .hangs },
            change: { $0.limits.dialSeconds = 0.3 }
        )
        let slow = try fixture.dial("api.example.com:443")
        #expect(slow.hasSuffix("in time (timeout)"))
        let silent = try DialFixture(
            ["api.example.com"],
            servers: [try Server { _ in [] }],
            change: { $0.limits.dialSeconds = 0.3 }
        )
        #expect(try silent.dial("api.example.com:443").hasSuffix("in time (timeout)"))
    }

    @Test("only so many are dialled at once")
    func pending() throws {
        let server = try server { [.a($0.text, Self.good)] }
        let fixture = try DialFixture(
            ["api.example.com"],
            servers: [server],
            outcomes: { _ in .hangs },
            change: { settings in
                settings.limits.dialSeconds = 3600
                settings.limits.pending = 2
            }
        )
        let dialer = fixture.dialer()
        let first = fixture.begin("api.example.com:443", dialer)
        let second = fixture.begin("api.example.com:443", dialer)
        while fixture.dialled.withLock({ $0.count < 2 }) { usleep(2000) }
        #expect(try fixture.dial("api.example.com:443", dialer) == "limit-pending")
        fixture.release()
        for result in [try first.wait(), try second.wait()] { #expect(result.contains("cannot be reached")) }
        fixture.outcomes.withLock { $0 = { _ in .connects } }
        #expect(try fixture.dial("api.example.com:443", dialer) == "\(Self.good):443")
    }

    @Test("only so many connections are open at once that were not handed on")
    func open() throws {
        let server = try server { [.a($0.text, Self.good)] }
        let fixture = try DialFixture(
            ["api.example.com"],
            servers: [server],
            change: { $0.limits.requestConnections = 2 }
        )
        let dialer = fixture.dialer()
        for _ in 0..<2 { #expect(try fixture.dial("api.example.com:443", dialer) == "\(Self.good):443") }
        #expect(try fixture.dial("api.example.com:443", dialer) == "limit-outside")
    }

    @Test("only so many names are looked up in a second")
    func lookups() throws {
        let server = try server { [.a($0.text, Self.good)] }
        let fixture = try DialFixture(
            ["*.example.com"],
            servers: [server],
            change: { $0.limits.lookupsPerSecond = 1 }
        )
        let dialer = fixture.dialer()
        let first = fixture.begin("a.example.com:443", dialer)
        let rest = (0..<9).map { fixture.begin("b\($0).example.com:443", dialer) }
        #expect(try first.wait() == "\(Self.good):443")
        #expect(try rest.map { try $0.wait() }.contains("limit-lookups"))
        // What is known already needs no look-up.
        #expect(try fixture.dial("a.example.com:443", dialer) == "\(Self.good):443")
    }

    @Test("a real connection has no delay and reads nothing until it is asked to")
    func connection() async throws {
        let (socket, port) = try Plain.bound(Int32(SOCK_STREAM.rawValue))
        defer { Plain.close([socket]) }
        let upstream = try Upstream(host: "model.example.test", port: 443, address: "127.0.0.1:\(port)", ca: nil)
        var settings = BrokerSettings()
        settings.policy = NetworkPolicy(upstreams: [upstream])
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let target = try ConnectTarget(Array("model.example.test:443".utf8))
        let dialer = Dialer(settings: SettingsStore(settings))
        // Nobody listens yet; the port stays this test's.
        await #expect(throws: DialFailure.self) { try await dialer.dial(target, on: loop).get() }
        #expect(listen(socket, 1) == 0)
        let dialled = try await dialer.dial(target, on: loop).get()
        #expect(dialled.address.description == "127.0.0.1:\(port)")
        #expect(try await dialled.channel.getOption(.autoRead).get() == false)
        #expect(try await dialled.channel.getOption(.tcpOption(.tcp_nodelay)).get() != 0)
        #expect(dialled.channel.eventLoop === loop)
        try await dialled.channel.close()
    }
}
