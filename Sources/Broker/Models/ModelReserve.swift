package import BrokerLink
package import Domain
package import Egress

/// What a request may use at most, as far as that can be told before it is sent. `docs/models.md` states these rules.
package struct ModelReserve: Sendable, Equatable {
    /// Text that is made of words and code has three to four bytes for each token.
    package static let textBytesPerToken = 2
    /// Pictures have tokens by what they show: the largest that services read have so many, however few their bytes.
    package static let encodedBytesPerToken = 8
    package static let pictureTokens: UInt64 = 10_000
    /// What a service puts before a conversation.
    package static let overheadTokens: UInt64 = 1_000
    /// Where the request does not say how long its answer may be. With a budget it is made to say this.
    package static let unstatedOutputTokens: UInt64 = 32_000
    /// Where the service heeds no limit: as much as models write at once.
    package static let unboundedOutputTokens: UInt64 = 128_000
    /// A stream that does not say what it used has at most one token for so many of its bytes, or the tokens that a
    /// model writes in the time that it took, whichever is more: some think without a word.
    private static let answerBytesPerToken: UInt64 = 4
    private static let tokensPerSecond = 400.0

    package let tokens: ModelUse.Tokens
    /// Nil where no price is known.
    package let microdollars: UInt64?
    private let tariff: ModelTariff?
    /// What the service bills beside tokens, at most.
    private let extraMicrodollars: UInt64
    /// Read besides, and said by no answer.
    private let unsaidTokens: UInt64

    /// - Parameter extras: what the service may do or read besides.
    package init(_ request: ModelRequest, _ tariff: ModelTariff?, extras: [ModelRules.Extra] = []) {
        let text = UInt64((request.textBytes + Self.textBytesPerToken - 1) / Self.textBytesPerToken)
        let encoded = UInt64(request.encodedBytes / Self.encodedBytesPerToken)
        let pictures = max(encoded, request.pictures * Self.pictureTokens)
        let further = extras.reduce(UInt64(0)) { $0.saturatingAdd($1.tokens) }
        let unstated = request.isUnbounded ? Self.unboundedOutputTokens : Self.unstatedOutputTokens
        let output = request.outputTokensMax ?? unstated * request.alternatives
        let input = (text + pictures + Self.overheadTokens).saturatingAdd(further)
        let tokens = ModelUse.Tokens(input: input, output: output)
        let extraMicrodollars = extras.reduce(UInt64(0)) { $0.saturatingAdd($1.microdollars) }
        self.tokens = tokens
        self.tariff = tariff
        self.extraMicrodollars = extraMicrodollars
        unsaidTokens = extras.filter { ServiceExtras.isUnsaid($0.name) }
            .reduce(UInt64(0)) { $0.saturatingAdd($1.tokens) }
        microdollars = tariff.map { tariff in
            let price = tariff.price(reading: input)
            var dearest = price
            if request.writesCache { dearest.input = max(dearest.input, price.cacheWrite) }
            if request.writesLongCache { dearest.input = max(dearest.input, price.longCacheWrite) }
            return dearest.microdollars(tokens).saturatingAdd(extraMicrodollars)
        }
    }

    package var amount: ModelBudget.Amount {
        ModelBudget.Amount(tokens: tokens.sum, microdollars: microdollars ?? 0)
    }

    /// How far an answer came.
    package struct Progress: Sendable {
        /// Of the answer's body.
        package var bytes: UInt64 = 0
        /// Since the request left.
        package var seconds = 0.0
        /// The answer comes as it is made. One that does not says nothing until it is whole.
        package var isStream = false

        package init() {}
    }

    /// What a request used whose answer came to its end, or did not.
    package func settled(
        _ usage: UsageReader.Usage,
        _ progress: Progress
    ) -> (tokens: ModelUse.Tokens, microdollars: UInt64?, basis: ModelReport.Basis) {
        var used = usage.tokens
        if usage.isFinal {
            used.input = used.input.saturatingAdd(unsaidTokens)
        } else {
            if usage.input == nil { used.input = tokens.input }
            used.output = max(used.output, written(progress))
        }
        let read = used.input.saturatingAdd(used.cacheRead).saturatingAdd(used.cacheWrite)
        let cost = tariff.map { tariff in
            tariff.price(reading: read).microdollars(used, longCacheWrite: usage.longCacheWrite ?? 0)
                .saturatingAdd(extraMicrodollars)
        }
        return (used, cost, usage.isFinal ? .metered : .estimated)
    }

    private func written(_ progress: Progress) -> UInt64 {
        guard progress.isStream else { return tokens.output }
        let thought = UInt64(min(max(progress.seconds, 0), 1e9) * Self.tokensPerSecond)
        return min(tokens.output, max(progress.bytes / Self.answerBytesPerToken, thought))
    }
}
