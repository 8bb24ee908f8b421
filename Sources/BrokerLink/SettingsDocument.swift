import Domain
import Egress

/// The broker's settings as bytes, for the sealed memory in which they travel: a mark, the length of a JSON object, the
/// object, and the root certificates as they are, since they are long and need no escapes.
package enum SettingsDocument {
    /// More is a mistake: a few thousand rules, and a large collection of root certificates.
    package static let bytesMax = 8 << 20
    private static let mark = Array("BLBS\u{0}\u{0}\u{0}\u{1}".utf8)

    package static func bytes(_ settings: BrokerSettings) throws(LinkError) -> [UInt8] {
        let object = json(settings).bytes()
        let length = UInt32(object.count)
        let bytes =
            mark + [24, 16, 8, 0].map { (shift: UInt32) in UInt8(length >> shift & 0xFF) } + object
            + Array(settings.roots.utf8)
        guard bytes.count <= bytesMax else { throw LinkError("the settings have more than \(bytesMax) bytes") }
        return bytes
    }

    package static func read(_ bytes: [UInt8]) throws(LinkError) -> BrokerSettings {
        guard bytes.count <= bytesMax, bytes.count >= mark.count + 4, bytes.starts(with: mark) else {
            throw LinkError("the settings do not begin as settings do")
        }
        let start = mark.count + 4
        let length = bytes[mark.count..<start].reduce(0) { $0 << 8 | Int($1) }
        guard length <= bytes.count - start else { throw LinkError("the settings are cut short") }
        let value: JSONValue
        do { value = try JSONParser.parse(bytes[start..<start + length]) } catch {
            throw LinkError("the settings are not understood: \(error)")
        }
        guard let roots = String(validating: bytes[(start + length)...], as: UTF8.self) else {
            throw LinkError("the root certificates are no text")
        }
        do {
            var settings = try SettingsReader(value).settings()
            settings.roots = roots
            return settings
        } catch let refusal as EgressRefusal {
            throw LinkError("the settings hold something that is refused: \(refusal.reason)")
        } catch let error as LinkError {
            throw error
        } catch {
            throw LinkError("the settings are not understood: \(error)")
        }
    }

    private static func json(_ settings: BrokerSettings) -> JSONValue {
        let policy = settings.policy
        func texts(_ texts: [String]) -> JSONValue { .array(texts.map { .string($0) }) }
        func rules(_ rules: [NetworkRule]?) -> JSONValue { rules.map { texts($0.map(\.text)) } ?? .null }
        let names = settings.knownNames.sorted { $0.key.text < $1.key.text }
        let roots = settings.upstreamRoots.sorted { $0.key.text < $1.key.text }
        return .object([
            ("allow", rules(policy.allow)), ("narrowed", rules(policy.narrowed)),
            ("upstreams", .array(policy.upstreams.map(upstream))),
            ("nat64", texts(policy.addresses.nat64.map(\.description))),
            ("own", texts(policy.addresses.own.map(\.description).sorted())),
            ("forges", texts(settings.forges.map(\.text).sorted())),
            ("name_servers", .array(settings.nameServers.map(nameServer))),
            (
                "known_names",
                .object(names.map { ($0.key.text, texts($0.value.map(\.description))) })
            ),
            ("upstream_roots", .object(roots.map { ($0.key.text, .string($0.value)) })),
            ("secrets", .array(settings.secrets.map(\.json))),
            ("providers", .array(settings.providers.map(\.json))), ("models", settings.models.json),
            ("limits", .object(BrokerLimits.fields.map { ($0.name, $0.get(settings.limits)) })),
        ])
    }

    private static func upstream(_ upstream: Upstream) -> JSONValue {
        .object([
            ("host", .string(upstream.name.text)), ("port", .unsigned(UInt64(upstream.port))),
            ("address", .string("\(upstream.address.bracketed):\(upstream.addressPort)")),
            ("ca", upstream.certificateAuthority.map { .string($0) } ?? .null),
        ])
    }

    private static func nameServer(_ server: NameServer) -> JSONValue {
        .object([("address", .string("\(server.address)")), ("port", .unsigned(UInt64(server.port)))])
    }
}

/// Reads the object; every member must be there and well formed.
private struct SettingsReader {
    let value: JSONValue

    init(_ value: JSONValue) { self.value = value }

    func settings() throws -> BrokerSettings {
        var settings = BrokerSettings()
        settings.policy.allow = try rules("allow")
        settings.policy.narrowed = try rules("narrowed")
        settings.policy.upstreams = try list("upstreams").map(upstream)
        let nat64 = try texts("nat64").map { text in try known(NAT64Prefix(text), "nat64") }
        let own = try texts("own").map { text in try known(IPAddress(text), "own") }
        settings.policy.addresses = AddressGuard(nat64: nat64, own: Set(own))
        settings.forges = Set(try texts("forges").map { text in try HostName(text) })
        settings.nameServers = try list("name_servers").map { item in
            let address = try known(item["address"]?.stringValue.flatMap { IPAddress($0) }, "name_servers")
            return NameServer(address: address, port: try port(item["port"], "name_servers"))
        }
        for (name, item) in try members("known_names") {
            let addresses = try known(item.arrayValue, "known_names").map { item in
                try known(item.stringValue.flatMap { IPAddress($0) }, "known_names")
            }
            settings.knownNames[try HostName(name)] = addresses
        }
        for (name, item) in try members("upstream_roots") {
            settings.upstreamRoots[try HostName(name)] = try known(item.stringValue, "upstream_roots")
        }
        settings.secrets = try list("secrets").map { item in try known(HeldSecret(item), "secrets") }
        settings.providers = try list("providers").map { item in try known(ModelProvider(item), "providers") }
        settings.models = try known(ModelRules(known(value["models"], "models")), "models")
        for field in BrokerLimits.fields {
            guard let item = value["limits"]?[field.name], field.set(&settings.limits, item) else {
                throw LinkError("the settings have no limit \(field.name)")
            }
        }
        return settings
    }

    private func known<Value>(_ value: Value?, _ name: String) throws(LinkError) -> Value {
        guard let value else { throw LinkError("the settings' \(name) is not understood") }
        return value
    }

    private func list(_ name: String) throws(LinkError) -> [JSONValue] { try known(value[name]?.arrayValue, name) }

    private func texts(_ name: String) throws -> [String] {
        try list(name).map { item in try known(item.stringValue, name) }
    }

    private func members(_ name: String) throws(LinkError) -> [(String, JSONValue)] {
        guard case .object(let members) = value[name] else { throw LinkError("the settings' \(name) is no object") }
        return members
    }

    /// Nil where null stands.
    private func rules(_ name: String) throws -> [NetworkRule]? {
        if case .null = value[name] { return nil }
        return try texts(name).map { text in try NetworkRule(text) }
    }

    private func port(_ value: JSONValue?, _ name: String) throws(LinkError) -> UInt16 {
        try known(value?.unsignedValue.flatMap { UInt16(exactly: $0) }.flatMap { $0 > 0 ? $0 : nil }, name)
    }

    private func upstream(_ item: JSONValue) throws -> Upstream {
        let ca: String? = if case .null = item["ca"] { nil } else { try known(item["ca"]?.stringValue, "upstreams") }
        return try Upstream(
            host: try known(item["host"]?.stringValue, "upstreams"),
            port: try port(item["port"], "upstreams"),
            address: try known(item["address"]?.stringValue, "upstreams"),
            ca: ca
        )
    }
}

extension BrokerLimits {
    /// One limit: its name, how it is written, and how it is read.
    struct Field: Sendable {
        let name: String
        let get: @Sendable (BrokerLimits) -> JSONValue
        /// False for what is no such limit.
        let set: @Sendable (inout BrokerLimits, JSONValue) -> Bool

        init(_ name: String, _ path: any WritableKeyPath<BrokerLimits, Int> & Sendable) {
            self.name = name
            get = { .unsigned(UInt64($0[keyPath: path])) }
            set = { limits, value in
                guard let number = value.unsignedValue.flatMap({ Int(exactly: $0) }) else { return false }
                limits[keyPath: path] = number
                return true
            }
        }

        /// Seconds travel as whole milliseconds.
        init(milliseconds name: String, _ path: any WritableKeyPath<BrokerLimits, Double> & Sendable) {
            self.name = name
            get = { .unsigned(UInt64(($0[keyPath: path] * 1000).rounded())) }
            set = { limits, value in
                guard let number = value.unsignedValue, number <= 1 << 40 else { return false }
                limits[keyPath: path] = Double(number) / 1000
                return true
            }
        }
    }

    static let fields: [Field] = [
        Field("connections", \.connections), Field("sockets", \.sockets), Field("pending", \.pending),
        Field("connections_per_second", \.connectionsPerSecond), Field("questions_per_second", \.questionsPerSecond),
        Field("names", \.names), Field("listeners", \.listeners), Field("lookups_per_second", \.lookupsPerSecond),
        Field("requests", \.requests), Field("request_connections", \.requestConnections),
        Field("head_bytes", \.headBytes), Field("head_fields", \.headFields),
        Field(milliseconds: "greeting", \.greetingSeconds), Field(milliseconds: "dial", \.dialSeconds),
        Field(milliseconds: "idle", \.idleSeconds), Field("certificates", \.certificates),
    ]
}
