package import Domain

/// What one model costs: by how much a request reads.
package struct ModelTariff: Sendable, Hashable {
    /// By what they count above, least first; never empty.
    private let rows: [ModelProvider.Price]

    /// Nil without a row.
    fileprivate init?(_ rows: some Sequence<ModelProvider.Price>) {
        self.rows = rows.sorted { $0.above < $1.above }
        if self.rows.isEmpty { return nil }
    }

    /// One price for all requests.
    package init(_ price: ModelProvider.Price) { rows = [price] }

    /// The price of a request that reads so much.
    package func price(reading tokens: UInt64) -> ModelProvider.Price {
        rows.last { $0.above < max(tokens, 1) } ?? rows[0]
    }
}

extension ModelProvider {
    /// What a model is known to cost; nil where that is not known.
    package func tariff(of model: String) -> ModelTariff? {
        let exact = prices.filter { $0.model == model }
        if !exact.isEmpty { return ModelTariff(exact) }
        let named = prices.filter { Self.isEdition(model, of: $0.model) }
        if !named.isEmpty { return ModelTariff(named) }
        let families = prices.filter { $0.model.hasSuffix("*") && model.hasPrefix($0.model.dropLast()) }
        let longest = families.map(\.model.utf8.count).max()
        return ModelTariff(families.filter { $0.model.utf8.count == longest })
    }

    /// What no model of the service is known to pass, of each kind of tokens: it bounds one whose price is not known.
    /// Nil where it does not.
    package var dearest: ModelTariff? {
        guard !isReseller, var dearest = prices.first else { return nil }
        for price in prices {
            dearest.input = max(dearest.input, price.input)
            dearest.cacheRead = max(dearest.cacheRead, price.cacheRead)
            dearest.cacheWrite = max(dearest.cacheWrite, price.cacheWrite)
            dearest.longCacheWrite = max(dearest.longCacheWrite, price.longCacheWrite)
            dearest.output = max(dearest.output, price.output)
        }
        return ModelTariff(dearest)
    }

    /// True for a model's name with a date or `-latest` behind it: `-2026-11-22`, `-20261122`, `-1122`.
    private static func isEdition(_ model: String, of name: String) -> Bool {
        guard model.hasPrefix(name), model.utf8.count > name.utf8.count else { return false }
        let rest = model.dropFirst(name.count)
        guard rest.first == "-", rest != "-latest" else { return rest == "-latest" }
        let parts = rest.dropFirst().split(separator: "-", omittingEmptySubsequences: false)
        let areDigits = parts.allSatisfy { $0.utf8.allSatisfy { (48...57).contains($0) } }
        return areDigits && [[8], [4], [4, 2, 2]].contains(parts.map(\.utf8.count))
    }
}

extension ModelProvider.Price {
    private static let countMax: UInt64 = 1 << 60

    /// Millionths of a dollar, rounded up.
    ///
    /// - Parameter longCacheWrite: the part of what was written to a cache that is kept for an hour.
    package func microdollars(_ tokens: ModelUse.Tokens, longCacheWrite: UInt64 = 0) -> UInt64 {
        let long = min(longCacheWrite, tokens.cacheWrite)
        let parts = [
            (tokens.input, input), (tokens.cacheRead, cacheRead), (tokens.cacheWrite - long, cacheWrite),
            (long, self.longCacheWrite), (tokens.output, output),
        ]
        // Larger counts are none that a service says, and their sum would overflow.
        let sum = parts.reduce(UInt128(0)) { $0 + UInt128(min($1.0, Self.countMax)) * UInt128($1.1) }
        return UInt64(exactly: (sum + 999_999) / 1_000_000) ?? .max
    }
}

extension ModelRules {
    /// Nothing is limited.
    package var isUnlimited: Bool { models == nil && !isBudget }

    /// Tokens or money are limited.
    package var isBudget: Bool { tokensMax != nil || microdollarsMax != nil }

    /// The entry that allows something beside an answer.
    package func extra(_ name: String) -> Extra? { extras.first { $0.name == name } }

    /// True for a model that may be used.
    package func allows(_ model: String) -> Bool {
        guard let models else { return true }
        return models.contains { Self.covers($0, model) }
    }

    /// The entries that both lists allow.
    package static func both(_ left: [String], _ right: [String]) -> [String] {
        var both: [String] = []
        for one in left {
            for other in right {
                let narrower = covers(one, other) ? other : covers(other, one) ? one : nil
                if let narrower, !both.contains(narrower) { both.append(narrower) }
            }
        }
        return both
    }

    /// - Parameter other: a model's name, or another entry.
    private static func covers(_ entry: String, _ other: String) -> Bool {
        guard entry.hasSuffix("*") else { return entry == other }
        return other.hasPrefix(entry.dropLast())
    }
}
