import BrokerLink
import Domain
import Egress

/// What supervisor and broker say to each other. Whatever is taken is written again as it was read.
extension FuzzTarget {
    static let brokerOrder = FuzzTarget("broker-order", bytesMax: 64) {
        let address = IPAddress.v4(IPv4Address(value: 0xC612_0001))
        let wildcard = IPAddress.v6(IPv6Address(high: 0, low: 0))
        let orders: [BrokerOrder] = [
            .settings, .maker, .begin, .end,
            .listener(ListenerRequest(role: .datagramNames, address: address, port: 53)),
            .listener(ListenerRequest(role: .transparent, address: wildcard, port: 443)),
        ]
        return orders.map(\.bytes)
    } prepare: {
        { bytes in
            guard let order = BrokerOrder(bytes) else { return }
            try promise(order.bytes == bytes, "an order has two spellings")
            try promise(bytes.count <= BrokerOrder.bytesMax, "an order is longer than its limit")
        }
    }

    static let brokerReport = FuzzTarget("broker-report") {
        let refusal = EgressRefusal(RuleID("network-unlisted"), "it is not listed", remedy: "List it.")
        var record = ConnectionRecord(
            door: .proxy,
            host: "api.example.com",
            port: 443,
            treatment: .refused,
            decision: EgressDecision(refusal),
            beganSeconds: 1.5
        )
        record.address = .v4(IPv4Address(value: 0x0808_0808))
        record.request = "GET /path"
        let reports: [BrokerReport] = [
            .settled(authority: "-----BEGIN CERTIFICATE-----\n"), .ready(walls: ["no-files"]), .record(record),
            .model(.refused(provider: "p", model: "m")),
            .model(
                .requested(
                    .init(number: 1, provider: "p", model: "m", tokens: .init(input: 1, output: 2), microdollars: nil)
                )
            ),
            .model(.settled(.init(number: 1, tokens: .init(), microdollars: 5, basis: .estimated))),
            .leftOut(7), .failed("no room"), .finished,
        ]
        return reports.map(\.bytes)
    } prepare: {
        { bytes in
            guard let report = BrokerReport(bytes) else { return }
            let again = report.bytes
            try promise(BrokerReport(again) == report, "a report changes when it is passed on")
            try promise(again.count <= BrokerReport.bytesMax, "a report grows out of its limit")
            guard case .record(let record) = report else { return }
            try promise(RuleID(told: record.rule.rawValue) != nil, "a rule's name is not one")
        }
    }

    static let brokerSettings = FuzzTarget("broker-settings") {
        var settings = BrokerSettings()
        settings.policy = NetworkPolicy(
            allow: [try NetworkRule("api.example.com"), try NetworkRule("GET https://data.example.com/public/")],
            narrowed: [try NetworkRule("*.example.com")],
            upstreams: [try Upstream(host: "db.example.org", port: 5432, address: "[::1]:5432", ca: "db.pem")]
        )
        settings.roots = "-----BEGIN CERTIFICATE-----\n"
        return [try SettingsDocument.bytes(settings)]
    } prepare: {
        { bytes in
            guard let settings = try? SettingsDocument.read(bytes) else { return }
            let again = try SettingsDocument.read(SettingsDocument.bytes(settings))
            try promise(again == settings, "settings change when they are passed on")
        }
    }
}
