package import Domain

/// What the broker tells of one request to a model, before anything of it leaves and after its answer.
package enum ModelReport: Sendable, Equatable {
    /// It is about to leave, and this much was set aside for it.
    case requested(Requested)
    /// It is over.
    case settled(Settled)
    /// One was refused before anything left.
    case refused(provider: String, model: String)

    package struct Requested: Sendable, Equatable {
        /// Counts from 1, once for each request of the run.
        package let number: UInt64
        package let provider: String
        /// As the request names it.
        package let model: String
        /// What it may use at most, as far as that can be told before.
        package let tokens: ModelUse.Tokens
        /// Nil where no price is known.
        package let microdollars: UInt64?
        /// What it has the service do or read beside answering it.
        package let extras: [String]

        /// More of them are not told.
        package static let extrasMax = 16

        package init(
            number: UInt64,
            provider: String,
            model: String,
            tokens: ModelUse.Tokens,
            microdollars: UInt64?,
            extras: [String] = []
        ) {
            self.number = number
            self.provider = provider
            self.model = model
            self.tokens = tokens
            self.microdollars = microdollars
            self.extras = extras
        }
    }

    /// How it is known what a request used.
    package enum Basis: String, Sendable, CaseIterable {
        /// The answer said it.
        case metered
        /// The answer did not, so that it is estimated from above.
        case estimated
        /// Nothing is billed: it never left, or the service refused it.
        case free
    }

    package struct Settled: Sendable, Equatable {
        package let number: UInt64
        package let tokens: ModelUse.Tokens
        package let microdollars: UInt64?
        package let basis: Basis

        package init(number: UInt64, tokens: ModelUse.Tokens, microdollars: UInt64?, basis: Basis) {
            self.number = number
            self.tokens = tokens
            self.microdollars = microdollars
            self.basis = basis
        }

        /// Of a request whose end nobody saw: it used what was set aside for it.
        package init(estimating request: Requested) {
            self.init(
                number: request.number,
                tokens: request.tokens,
                microdollars: request.microdollars,
                basis: .estimated
            )
        }
    }
}
