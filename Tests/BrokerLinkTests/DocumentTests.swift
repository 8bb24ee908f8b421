import BrokerLink
import Domain
import Egress
import Testing

@Suite("what supervisor and broker say arrives as it was said, or not at all")
struct DocumentTests {
    private func settings() throws -> BrokerSettings {
        var settings = BrokerSettings()
        let nat64 = try #require(NAT64Prefix("2001:db8:64::/96"))
        let own = try #require(IPAddress("203.0.113.7"))
        settings.policy = NetworkPolicy(
            allow: [
                try NetworkRule("api.example.com"), try NetworkRule("*.example.com:8443"),
                try NetworkRule("GET,HEAD https://data.example.com/public/"),
            ],
            narrowed: [try NetworkRule("*.example.com")],
            upstreams: [
                try Upstream(host: "model.example.org", port: 443, address: "127.0.0.1:8443", ca: "model.pem"),
                try Upstream(host: "db.example.org", port: 5432, address: "[fd00::1]:5432", ca: nil),
            ],
            addresses: AddressGuard(nat64: [nat64], own: [own])
        )
        settings.forges = [try HostName("git.example.com")]
        settings.nameServers = [NameServer(address: own), NameServer(address: own, port: 5353)]
        settings.knownNames = [try HostName("files.example.com"): [own]]
        settings.roots = "-----BEGIN CERTIFICATE-----\nMIIB\n"
        settings.upstreamRoots = [try HostName("model.example.org"): "-----BEGIN CERTIFICATE-----\n"]
        settings.limits.connections = 7
        settings.limits.idleSeconds = 1.25
        return settings
    }

    @Test func aSumThatABrokerMadeUpIsRefused() {
        #expect(BrokerReport(BrokerReport.leftOut(.max).bytes) == nil)
    }

    @Test("limits fit into the descriptors that there are", arguments: [0, 20, 256, 1024, 4096, 20_000, 47_000])
    func fitted(_ descriptors: Int) {
        let fitted = BrokerLimits().fitted(descriptors: descriptors)
        let used = fitted.sockets + 2 * fitted.pending + fitted.listeners + fitted.requestConnections
        #expect(used <= max(descriptors, 6))
        #expect(min(fitted.connections, fitted.pending, fitted.listeners, fitted.requestConnections) > 0)
        #expect(fitted.connections >= descriptors / 2 || fitted.connections == BrokerLimits().connections)
        var few = BrokerLimits()
        few.connections = 3
        #expect(few.fitted(descriptors: 47_000) == few)
    }

    @Test func settingsSurvive() throws {
        let settings = try settings()
        #expect(try SettingsDocument.read(SettingsDocument.bytes(settings)) == settings)
        var open = BrokerSettings()
        open.policy = .everythingPublic
        #expect(try SettingsDocument.read(SettingsDocument.bytes(open)) == open)
        #expect(try SettingsDocument.read(SettingsDocument.bytes(BrokerSettings())) == BrokerSettings())
    }

    /// The certificates stand last and are taken as they are, so that only what is before them can be cut.
    @Test func settingsThatAreCutShortAreRefused() throws {
        let whole = try SettingsDocument.bytes(settings())
        let object = whole.count - 33
        for count in stride(from: 0, to: object, by: 7) {
            #expect(throws: LinkError.self) { try SettingsDocument.read(Array(whole[..<count])) }
        }
    }

    @Test func settingsWithoutOneOfTheirMembersAreRefused() throws {
        let whole = String(decoding: try SettingsDocument.bytes(BrokerSettings()).dropFirst(12), as: UTF8.self)
        for name in ["allow", "narrowed", "own", "forges", "name_servers", "known_names", "limits", "idle"] {
            let object = Array(whole.replacing("\"\(name)\"", with: "\"\(name)x\"").utf8)
            let length = [0, 0, UInt8(object.count >> 8), UInt8(object.count & 255)]
            let head = Array("BLBS\u{0}\u{0}\u{0}\u{1}".utf8) + length
            #expect(throws: LinkError.self, "\(name)") { try SettingsDocument.read(head + object) }
        }
    }

    @Test func ordersSurvive() throws {
        let inside = try #require(IPAddress(SandboxNetwork.brokerText))
        let wildcard = try #require(IPAddress("::"))
        var orders: [BrokerOrder] = [.settings, .maker, .begin, .end]
        for role in ListenerRole.allCases {
            for address in [inside, wildcard] {
                orders.append(.listener(ListenerRequest(role: role, address: address, port: 65_535)))
            }
        }
        for order in orders {
            #expect(BrokerOrder(order.bytes) == order)
            #expect(BrokerOrder(order.bytes + [0]) == nil)
            #expect(BrokerOrder(order.bytes.dropLast()) == nil)
        }
        #expect(BrokerOrder([]) == nil && BrokerOrder([9]) == nil)
        // A role that there is not, and port 0.
        #expect(BrokerOrder([2, 9, 0, 53, 198, 18, 0, 1]) == nil)
        #expect(BrokerOrder([2, 1, 0, 0, 198, 18, 0, 1]) == nil)
    }

    private func record() throws -> ConnectionRecord {
        let refusal = EgressRefusal(RuleID("network-port"), "it is \u{202E}not listed\n", remedy: "List it.")
        var record = ConnectionRecord(
            door: .transparent,
            host: "api.example.com",
            port: 443,
            treatment: .spliced,
            decision: EgressDecision(refusal),
            beganSeconds: 1.5
        )
        record.address = IPAddress("2001:4860::1")
        record.bytesIn = .max
        record.seconds = 0.25
        record.ending = "the policy changed"
        return record
    }

    private func word(_ text: String) throws -> SecretText { try SecretText(text.utf8, .wherePossible) }

    @Test func reportsSurvive() throws {
        let reports: [BrokerReport] = [
            .settled(authority: ""), .ready(walls: ["no-files", "limits"]), .record(try record()),
            .leftOut(UInt64(UInt32.max)),
            .failed("no room"), .finished, .loginStale(0), .loginSettled(7),
            .loginRenewed(3, LoginTokens(access: try word("made-up"), refresh: nil, identity: try word(#"e30."\.x"#))),
        ]
        for report in reports {
            #expect(BrokerReport(report.bytes) == report)
            if case .leftOut = report { continue }
            #expect(BrokerReport(report.bytes.dropLast()) == nil)
            #expect(BrokerReport(report.bytes + [0x41]) == nil)
        }
        #expect(BrokerReport([]) == nil && BrokerReport([9, 0x31]) == nil)
    }

    @Test func whatALongNameWouldMakeOfARecordIsCut() throws {
        var record = try record()
        record.host = String(repeating: "h\u{1}", count: 10_000)
        record.reason = String(repeating: "\u{202E}", count: 10_000)
        record.remedy = record.reason
        record.request = record.reason
        record.ending = record.reason
        let bytes = BrokerReport.record(record).bytes
        #expect(bytes.count <= BrokerReport.bytesMax)
        #expect(BrokerReport(bytes) != nil)
    }

    @Test func aRecordThatABrokerMadeUpIsRefused() throws {
        let text = String(decoding: BrokerReport.record(try record()).bytes.dropFirst(), as: UTF8.self)
        let changes: [(String, String)] = [
            ("\"transparent\"", "\"window\""), ("\"network-port\"", "\"Network Port\""), ("\"deny\"", "\"maybe\""),
            ("443", "70000"), ("\"2001:4860::1\"", "\"2001\""), ("\"allowed_by\"", "\"allowed\""),
            ("18446744073709551615", "-1"), ("\"api.example.com\"", "\"" + String(repeating: "a", count: 301) + "\""),
        ]
        for (from, to) in changes {
            let changed = text.replacing(from, with: to)
            #expect(changed != text)
            #expect(BrokerReport([3] + Array(changed.utf8)) == nil, "\(to)")
        }
    }
}
