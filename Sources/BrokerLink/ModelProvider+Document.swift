import Domain
import Egress

/// Providers as JSON, on their way to the broker.
extension ModelProvider {
    var json: JSONValue {
        .object([
            ("name", .string(name)), ("host", .string(host.text)), ("port", .unsigned(UInt64(port))),
            (
                "endpoints",
                .array(
                    endpoints.map {
                        .object([("path", .string($0.path)), ("dialect", .string($0.dialect.rawValue))])
                    }
                )
            ),
            ("credential_fields", .array(credentialFields.map { .string($0) })),
            ("prices", .array(prices.map(\.json))),
            ("limit_names", limitNames.map { .array($0.map { .string($0) }) } ?? .null),
            ("finishes_alone", .bool(finishesAlone)), ("is_reseller", .bool(isReseller)),
            ("gateway_port", gatewayPort.map { .unsigned(UInt64($0)) } ?? .null),
        ])
    }

    /// Nil for what is no such object.
    init?(_ value: JSONValue) {
        guard let name = value["name"]?.stringValue,
            let host = try? HostName(value["host"]?.stringValue ?? ""),
            let port = value["port"]?.unsignedValue.flatMap({ UInt16(exactly: $0) }),
            let places = value["endpoints"]?.arrayValue, let items = value["prices"]?.arrayValue,
            let fields = value["credential_fields"]?.arrayValue,
            let finishesAlone = value["finishes_alone"]?.boolValue, let isReseller = value["is_reseller"]?.boolValue
        else { return nil }
        let endpoints = places.compactMap { item -> Endpoint? in
            guard let path = item["path"]?.stringValue,
                let dialect = ModelDialect(rawValue: item["dialect"]?.stringValue ?? "")
            else { return nil }
            return Endpoint(path: path, dialect: dialect)
        }
        let prices = items.compactMap { Price($0) }
        guard endpoints.count == places.count, prices.count == items.count else { return nil }
        self.init(
            name: name,
            host: host,
            port: port,
            endpoints: endpoints,
            credentialFields: fields.compactMap(\.stringValue),
            prices: prices,
            limitNames: value["limit_names"]?.arrayValue?.compactMap(\.stringValue),
            finishesAlone: finishesAlone,
            isReseller: isReseller,
            gatewayPort: value["gateway_port"]?.unsignedValue.flatMap { UInt16(exactly: $0) }
        )
    }
}

extension ModelProvider.Price {
    fileprivate var json: JSONValue {
        .object([
            ("model", .string(model)), ("above", .unsigned(above)), ("input", .unsigned(input)),
            ("cache_read", .unsigned(cacheRead)),
            ("cache_write", .unsigned(cacheWrite)), ("long_cache_write", .unsigned(longCacheWrite)),
            ("output", .unsigned(output)),
        ])
    }

    fileprivate init?(_ value: JSONValue) {
        guard let model = value["model"]?.stringValue, let above = value["above"]?.unsignedValue,
            let input = value["input"]?.unsignedValue,
            let read = value["cache_read"]?.unsignedValue, let write = value["cache_write"]?.unsignedValue,
            let long = value["long_cache_write"]?.unsignedValue, let output = value["output"]?.unsignedValue
        else { return nil }
        self.init(
            model: model,
            above: above,
            input: input,
            cacheRead: read,
            cacheWrite: write,
            longCacheWrite: long,
            output: output
        )
    }
}

extension ModelRules {
    var json: JSONValue {
        .object([
            ("models", models.map { .array($0.map { .string($0) }) } ?? .null),
            ("tokens", tokensMax.map { .unsigned($0) } ?? .null),
            ("microdollars", microdollarsMax.map { .unsigned($0) } ?? .null),
            ("extras", .array(extras.map(\.json))),
        ])
    }

    /// Nil for what is no such object.
    init?(_ value: JSONValue) {
        guard case .object = value, let items = value["extras"]?.arrayValue else { return nil }
        let extras = items.compactMap { Extra($0) }
        guard extras.count == items.count else { return nil }
        self.init(
            models: value["models"]?.arrayValue.map { $0.compactMap(\.stringValue) },
            tokensMax: value["tokens"]?.unsignedValue,
            microdollarsMax: value["microdollars"]?.unsignedValue,
            extras: extras
        )
    }
}

extension ModelRules.Extra {
    fileprivate var json: JSONValue {
        .object([
            ("name", .string(name)), ("tokens", .unsigned(tokens)), ("microdollars", .unsigned(microdollars)),
        ])
    }

    fileprivate init?(_ value: JSONValue) {
        guard let name = value["name"]?.stringValue, let tokens = value["tokens"]?.unsignedValue,
            let microdollars = value["microdollars"]?.unsignedValue
        else { return nil }
        self.init(name: name, tokens: tokens, microdollars: microdollars)
    }
}
