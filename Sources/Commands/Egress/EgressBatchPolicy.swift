import Domain
import Egress

/// The `policy` of one line of a batch: `"public"`, or an object like the configuration's `network:` section.
enum EgressBatchPolicy {
    private static let entriesMax = 256
    private static let rule = RuleID("batch-policy")

    static func read(_ value: JSONValue?) throws(EgressRefusal) -> NetworkPolicy {
        if value?.stringValue == "public" { return .everythingPublic }
        guard let value, case .object = value else {
            throw refuse("the policy is neither \"public\" nor an object", "Write \"public\" or {\"allow\":[…]}.")
        }
        var policy = NetworkPolicy()
        var rules: [NetworkRule] = []
        for text in try texts(value["allow"], "allow") { rules.append(try NetworkRule(text)) }
        policy.allow = rules
        var prefixes: [NAT64Prefix] = []
        for text in try texts(value["nat64"], "nat64") {
            guard let prefix = NAT64Prefix(text) else {
                throw refuse("\(Printable.text(text)) is no NAT64 prefix", "Write one such as 2001:db8:64::/96.")
            }
            prefixes.append(prefix)
        }
        policy.addresses = AddressGuard(nat64: prefixes)
        for item in try list(value["upstreams"], "upstreams") { policy.upstreams.append(try upstream(item)) }
        return policy
    }

    private static func upstream(_ item: JSONValue) throws(EgressRefusal) -> Upstream {
        guard let host = item["host"]?.stringValue, let address = item["address"]?.stringValue,
            let port = item["port"]?.unsignedValue.flatMap({ UInt16(exactly: $0) }), port > 0
        else {
            throw refuse(
                "an upstream has no host, port or address",
                "Write {\"host\":…,\"port\":443,\"address\":\"ADDRESS:PORT\"}."
            )
        }
        return try Upstream(host: host, port: port, address: address, ca: item["ca"]?.stringValue)
    }

    private static func list(_ value: JSONValue?, _ key: String) throws(EgressRefusal) -> [JSONValue] {
        guard let value else { return [] }
        guard let items = value.arrayValue, items.count <= entriesMax else {
            throw refuse("the policy's \(key) is no list of at most \(entriesMax) entries", "Write [a, b].")
        }
        return items
    }

    private static func texts(_ value: JSONValue?, _ key: String) throws(EgressRefusal) -> [String] {
        var texts: [String] = []
        for item in try list(value, key) {
            guard let text = item.stringValue else {
                throw refuse("an entry of the policy's \(key) is no text", "Write it in quotes.")
            }
            texts.append(text)
        }
        return texts
    }

    private static func refuse(_ reason: String, _ remedy: String) -> EgressRefusal {
        EgressRefusal(rule, reason, remedy: remedy)
    }
}
