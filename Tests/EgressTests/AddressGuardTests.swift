import Domain
import Egress
import Testing

@Suite("only globally reachable addresses may be dialled")
struct AddressGuardTests {
    private static let ordinary = AddressGuard()

    @Test(arguments: [
        "0.0.0.0", "10.0.0.0", "100.64.0.0", "100.127.255.255", "127.1.2.3", "169.254.1.1", "172.31.255.255",
        "192.0.0.1", "192.0.0.8", "192.0.0.11", "192.0.2.1", "192.88.99.1", "192.168.0.0", "198.19.0.1", "224.0.0.1",
        "239.255.255.255", "240.0.0.1", "168.63.129.16", "100.100.100.200", "169.254.170.2",
        "::", "::1", "::2", "::8.8.8.8", "::ffff:1.1.1.1", "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::1.1.1.1", "100::1", "2001::1", "2001:2::1", "2001:5::1", "2001:db8:ffff::1", "2002:7f00:1::1",
        "3fff:fff::1", "fc00::1", "fd00:ec2::254", "fe80::1", "febf::1", "fec0::1", "ff0e::1", "1fff::1",
        "2a00::5efe:192.168.1.1", "2a00::200:5efe:10.0.0.1",
    ])
    func refused(_ text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(Self.ordinary.refusal(of: address) != nil)
        #expect(throws: EgressRefusal.self) { try Self.ordinary.check([address], port: 443) }
    }

    @Test(arguments: [
        "1.0.0.0", "100.128.0.0", "126.255.255.255", "128.0.0.0", "169.255.0.0", "172.15.255.255", "172.32.0.0",
        "192.0.0.10", "192.88.98.255", "192.88.100.0", "192.167.255.255", "198.20.0.0", "203.0.112.255",
        "223.255.255.255", "192.31.196.1", "192.52.193.1", "64:ff9b::8.8.8.8", "2001:200::1", "2001:4:112::1",
        "2003::1", "2a00::5efe:8.8.8.8", "3ffe::1", "2606:4700::1",
    ])
    func reachable(_ text: String) throws {
        let address = try #require(IPAddress(text))
        #expect(Self.ordinary.refusal(of: address) == nil)
        #expect(try Self.ordinary.check([address], port: 443).map(\.description) == ["\(address.bracketed):443"])
    }

    @Test("one bad answer refuses them all, and none is an error")
    func everyAnswerCounts() throws {
        let good = try #require(IPAddress("93.184.216.34"))
        let bad = try #require(IPAddress("10.0.0.1"))
        #expect(throws: EgressRefusal.self) { try Self.ordinary.check([good, bad], port: 443) }
        #expect(throws: EgressRefusal.self) { try Self.ordinary.check([], port: 443) }
    }

    @Test(
        "an operator's NAT64 prefix is judged by the address within, at every length",
        arguments: [
            ("2001:db8::/32", "2001:db8:7f00:1::", "2001:db8:808:808::"),
            ("2001:db8:100::/40", "2001:db8:17f:0:1::", "2001:db8:108:808:8::"),
            ("2001:db8:122::/48", "2001:db8:122:7f00:0:100::", "2001:db8:122:808:8:800::"),
            ("2001:db8:122:300::/56", "2001:db8:122:37f:0:1::", "2001:db8:122:308:8:808::"),
            ("2001:db8:122:344::/64", "2001:db8:122:344:7f:0:100:0", "2001:db8:122:344:8:808:800:0"),
            ("2001:db8:122:344::/96", "2001:db8:122:344::7f00:1", "2001:db8:122:344::808:808"),
        ]
    )
    func nat64(_ prefix: String, _ bad: String, _ good: String) throws {
        let translator = AddressGuard(nat64: [try #require(NAT64Prefix(prefix))])
        #expect(translator.refusal(of: try #require(IPAddress(bad)))?.reason.contains("127.0.0.1") == true)
        #expect(translator.refusal(of: try #require(IPAddress(good))) == nil)
        #expect(Self.ordinary.refusal(of: try #require(IPAddress(good))) != nil)
    }

    @Test(arguments: ["2001:db8::/33", "2001:db8::1/96", "10.0.0.0/8", "2001:db8::", "x/96", "::/129"])
    func noNAT64Prefix(_ text: String) { #expect(NAT64Prefix(text) == nil) }

    @Test("this host's own addresses lead back to it")
    func own() throws {
        let address = try #require(IPAddress("93.184.216.34"))
        #expect(AddressGuard(own: [address]).refusal(of: address)?.rule.rawValue == "address-own")
    }

    @Test("an upstream has one name, one port and one fixed address that a machine can have")
    func upstreams() throws {
        let upstream = try Upstream(host: "db.internal", port: 5432, address: "[::1]:5433", ca: nil)
        #expect(Self.ordinary.check(upstream).description == "[::1]:5433")
        for (host, address) in [
            ("localhost", "127.0.0.1:1"), ("a.localhost", "127.0.0.1:1"), ("10.0.0.1", "10.0.0.1:1"),
            ("a.test", "b.test:1"), ("a.test", "10.0.0.1"), ("a.test", "0.0.0.0:1"), ("a.test", "224.0.0.1:1"),
            ("a.test", "[::ffff:127.0.0.1]:1"), ("a.test", "198.18.0.1:1"), ("a.test", "127.1:80"),
        ] {
            #expect(throws: EgressRefusal.self, "\(host) \(address)") {
                try Upstream(host: host, port: 1, address: address, ca: nil)
            }
        }
    }

    @Test(arguments: [
        ("1:0:0:2:0:0:0:3", "1:0:0:2::3"), ("::", "::"), ("0:0:1::", "0:0:1::"), ("A::1.2.3.4", "a::102:304"),
        ("1:2:3:4:5:6:0:8", "1:2:3:4:5:6:0:8"),
    ])
    func spelledAsRFC5952Says(_ text: String, _ spelled: String) throws {
        #expect(try #require(IPv6Address(text)).description == spelled)
    }

    @Test(arguments: [
        "", ":", ":::", "1", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "12345::", "::1.2.3", "::01.2.3.4",
        "1.2.3.4::", "fe80::1%eth0", "::g", "1:2:3:4:5:6:7::8", ":1::", "1::2:", "::1 ",
    ])
    func noIPv6(_ text: String) { #expect(IPv6Address(text) == nil) }
}
