package import Domain

extension ModelProvider {
    /// What a model costs: of all prices whose name begins the model's, the one with the longest; nil where none does.
    package func price(of model: String) -> Price? {
        prices.filter { model.hasPrefix($0.model) }.max { $0.model.utf8.count < $1.model.utf8.count }
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
    package var isUnlimited: Bool { models == nil && tokensMax == nil && microdollarsMax == nil }

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
