import Egress
import Policy

extension ModelRules {
    /// How a run may use models: by what the configuration lists, and the limits of the command line above its own.
    init(_ configuration: Configuration, _ limits: LimitSettings) {
        self.init(
            models: configuration.models,
            tokensMax: limits.tokens,
            microdollarsMax: limits.microdollars,
            extras: configuration.extras
        )
    }
}

extension ModelProvider {
    /// With the operator's own prices, which take the place of what is known of the same names.
    func priced(_ prices: [Price]) -> ModelProvider {
        var priced = self
        priced.prices = prices + self.prices.filter { known in !prices.contains { $0.model == known.model } }
        return priced
    }
}
