package import Egress
package import Policy

/// A service that runs models, as far as everybody who uses it has to know it: where it is, in which field it takes a
/// key, by which variables programs are told of another place, and what it costs.
package struct Provider: Sendable, Equatable {
    /// A variable that names the service's place to programs, and what they expect behind host and port.
    package struct BaseURL: Sendable, Equatable {
        package let variable: String
        /// Begins with a slash, or is empty.
        package let suffix: String
    }

    package let name: String
    package let title: String
    /// A sentence for people.
    package let about: String
    /// Without a gateway port, which each run gives out.
    package let model: ModelProvider
    /// Variables in which programs look for a key, the usual one first.
    package let keyVariables: [String]
    /// The field in which the service takes it.
    package let slot: HeaderSlot
    package let baseURLs: [BaseURL]
    /// The day on which the prices were looked up: `2026-11-22`.
    package let pricesDate: String
    package let pricesSource: String

    static let attempt = "read the provider"
    private static let keys = [
        "provider", "title", "about", "host", "endpoints", "key", "base_urls", "credential_fields", "limits",
        "finishes_alone", "reseller", "prices",
    ]

    /// Reads one file.
    ///
    /// - Parameter file: what to call it in an error.
    package init(_ bytes: [UInt8], file: String) throws(ConfigurationError) {
        let fields = try Fields.document(bytes, known: Self.keys, file: file, attempt: Self.attempt)
        name = try fields.required("provider")
        title = try fields.required("title")
        about = try fields.required("about")
        let host = try fields.required("host")
        let rule = try fields.reading("host") { () throws(EgressRefusal) in try NetworkRule(host) }
        guard case .exactly(let hostName) = rule.names, rule.port == 443, rule.scheme == nil else {
            throw fields.error(.badValue, "host", "it is not one name", "Write one name, such as api.example.com.")
        }
        guard let key = try fields.mapping("key", known: ["variables", "header", "scheme"]) else {
            throw fields.error(.badValue, nil, "there is no key", "Write `key: {variables: [NAME], header: NAME}`.")
        }
        keyVariables = try key.texts("variables")
        slot = try key.slot()
        baseURLs = try fields.baseURLs()
        guard let prices = try fields.mapping("prices", known: ["date", "source", "models"]) else {
            throw fields.error(
                .badValue,
                nil,
                "there are no prices",
                "Write `prices: {date: …, source: …, models: …}`."
            )
        }
        pricesDate = try prices.date("date")
        pricesSource = try prices.required("source")
        model = ModelProvider(
            name: name,
            host: hostName,
            endpoints: try fields.endpoints(),
            credentialFields: try fields.texts("credential_fields"),
            prices: try prices.prices(),
            limitNames: fields.has("limits") ? try fields.limitNames() : nil,
            finishesAlone: try fields.flag("finishes_alone"),
            isReseller: try fields.flag("reseller"),
            gatewayPort: nil
        )
    }

    package static func == (left: Provider, right: Provider) -> Bool { left.name == right.name }
}

extension Fields {
    /// A whole file.
    static func document(
        _ bytes: [UInt8],
        known: [String],
        file: String,
        attempt: String
    ) throws(ConfigurationError) -> Fields {
        guard let root = try YAMLDocument.parse(bytes, file: file, attempt: attempt) else {
            throw ConfigurationError(
                .badValue,
                file: file,
                "the file is empty",
                hint: "Its keys are \(known.joined(separator: ", ")).",
                attempt: attempt
            )
        }
        return try Fields(root, known: known, file: file, attempt: attempt)
    }

    /// `header` and `scheme`.
    func slot() throws(ConfigurationError) -> HeaderSlot {
        let header = try required("header")
        var scheme: HeaderSlot.Scheme?
        switch try text("scheme") {
        case nil: break
        case "bearer": scheme = .bearer
        case "plain": scheme = .plain
        case .some(let other):
            throw error(
                .badValue,
                "scheme",
                "there is no scheme \"\(other)\"",
                "Write bearer or plain, or leave it out."
            )
        }
        return try reading("header") { () throws(EgressRefusal) in try HeaderSlot(field: header, scheme: scheme) }
    }

    fileprivate func baseURLs() throws(ConfigurationError) -> [Provider.BaseURL] {
        var found: [Provider.BaseURL] = []
        for entry in try list("base_urls", known: ["variable", "suffix"]) {
            let suffix = try entry.text("suffix") ?? ""
            guard suffix.isEmpty || suffix.hasPrefix("/") && !suffix.hasSuffix("/") else {
                throw entry.error(.badValue, "suffix", "it is no beginning of a path", "Write it as /v1, or as \"\".")
            }
            found.append(.init(variable: try entry.required("variable"), suffix: suffix))
        }
        return found
    }

    fileprivate func endpoints() throws(ConfigurationError) -> [ModelProvider.Endpoint] {
        var found: [ModelProvider.Endpoint] = []
        for entry in try list("endpoints", known: ["path", "dialect"]) {
            let path = try entry.required("path")
            guard path.hasPrefix("/") else {
                throw entry.error(.badValue, "path", "it does not begin with a slash", "Write it as /v1/messages.")
            }
            guard let dialect = ModelDialect(rawValue: try entry.required("dialect")) else {
                let names = ModelDialect.allCases.map(\.rawValue).joined(separator: ", ")
                throw entry.error(.badValue, "dialect", "there is no such dialect", "Dialects are \(names).")
            }
            found.append(.init(path: path, dialect: dialect))
        }
        return found
    }

    /// Names of limits that the service heeds, or `[none]`.
    fileprivate func limitNames() throws(ConfigurationError) -> [String] {
        let names = try texts("limits")
        if names == ["none"] { return [] }
        let known = ModelDialect.allCases.flatMap(\.limitNames)
        for name in names where !known.contains(name) {
            let hint = "Names are \(Set(known).sorted().joined(separator: ", ")); or write [none]."
            throw error(.badValue, "limits", "there is no limit \"\(name)\"", hint)
        }
        return names
    }

    /// `2026-11-22`.
    fileprivate func date(_ key: String) throws(ConfigurationError) -> String {
        let text = try required(key)
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        let isDate =
            parts.map(\.utf8.count) == [4, 2, 2] && parts.allSatisfy { $0.utf8.allSatisfy { (48...57).contains($0) } }
            && (1...12).contains(Int(parts[1]) ?? 0) && (1...31).contains(Int(parts[2]) ?? 0)
        guard isDate else { throw error(.badValue, key, "it is no date", "Write it as 2026-11-22.") }
        return text
    }

    fileprivate func prices() throws(ConfigurationError) -> [ModelProvider.Price] {
        var found: [ModelProvider.Price] = []
        let known = ["model", "above", "input", "cache_read", "cache_write", "long_cache_write", "output"]
        for entry in try list("models", known: known) {
            let input = try entry.money("input")
            let write = try entry.has("cache_write") ? entry.money("cache_write") : input
            found.append(
                .init(
                    model: try entry.required("model"),
                    above: try entry.has("above") ? entry.tokens("above") : 0,
                    input: input,
                    cacheRead: try entry.has("cache_read") ? entry.money("cache_read") : input,
                    cacheWrite: write,
                    longCacheWrite: try entry.has("long_cache_write") ? entry.money("long_cache_write") : write,
                    output: try entry.money("output")
                )
            )
        }
        return found
    }

    private func tokens(_ key: String) throws(ConfigurationError) -> UInt64 {
        guard let count = CountText(try required(key)) else {
            throw error(.badValue, key, "it is no count of tokens", "Write \(CountText.accepted).")
        }
        return count.value
    }

    private func money(_ key: String) throws(ConfigurationError) -> UInt64 {
        guard let price = DecimalDollars(try required(key)) else {
            throw error(.badValue, key, "it is no price", "Write dollars for a million tokens, such as 3 or 0.25.")
        }
        return price.microdollars
    }
}
