package import BrokerLink
package import Domain
package import Egress

/// What a request may use at most, as far as that can be told before it is sent. `docs/models.md` states these rules.
package struct ModelReserve: Sendable, Equatable {
    /// Text that is made of words and code has three to four bytes for each token.
    package static let textBytesPerToken = 2
    /// Pictures and documents have tokens by what they show.
    package static let encodedBytesPerToken = 8
    /// What a service puts before a conversation.
    package static let overheadTokens: UInt64 = 1_000
    /// A part of the conversation that the service remembers.
    package static let rememberedTokens: UInt64 = 128_000
    /// Where the request does not say how long its answer may be.
    package static let unstatedOutputTokens: UInt64 = 32_000
    /// A stream that does not say what it used has at most one token for so many of its bytes, or the tokens that a
    /// model writes in the time that it took, whichever is more: some think without a word.
    private static let answerBytesPerToken: UInt64 = 4
    private static let tokensPerSecond = 100.0

    package let tokens: ModelUse.Tokens
    /// Nil where no price is known.
    package let microdollars: UInt64?
    private let price: ModelProvider.Price?

    package init(_ request: ModelRequest, _ price: ModelProvider.Price?) {
        let text = UInt64((request.textBytes + Self.textBytesPerToken - 1) / Self.textBytesPerToken)
        let encoded = UInt64(request.encodedBytes / Self.encodedBytesPerToken)
        let remembered = request.isContinued ? Self.rememberedTokens : 0
        let output = request.outputTokensMax ?? Self.unstatedOutputTokens * request.alternatives
        let tokens = ModelUse.Tokens(input: text + encoded + remembered + Self.overheadTokens, output: output)
        self.tokens = tokens
        self.price = price
        microdollars = price.map { price in
            var dearest = price
            if request.writesCache { dearest.input = max(dearest.input, price.cacheWrite) }
            if request.writesLongCache { dearest.input = max(dearest.input, price.longCacheWrite) }
            return dearest.microdollars(tokens)
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
        if !usage.isFinal {
            if usage.input == nil { used.input = tokens.input }
            used.output = max(used.output, written(progress))
        }
        let cost = price.map { $0.microdollars(used, longCacheWrite: usage.longCacheWrite ?? 0) }
        return (used, cost, usage.isFinal ? .metered : .estimated)
    }

    private func written(_ progress: Progress) -> UInt64 {
        guard progress.isStream else { return tokens.output }
        let thought = UInt64(min(max(progress.seconds, 0), 1e9) * Self.tokensPerSecond)
        return min(tokens.output, max(progress.bytes / Self.answerBytesPerToken, thought))
    }
}
