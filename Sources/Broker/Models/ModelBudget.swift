import Domain
package import Egress
import Synchronization

/// What a run may still use of models. What a request may use at most is set aside before it leaves, all or nothing, so
/// that requests at the same time never use together what only some of them may.
package final class ModelBudget: Sendable {
    /// Of tokens and of money.
    package struct Amount: Sendable, Equatable {
        package var tokens: UInt64
        package var microdollars: UInt64

        package init(tokens: UInt64, microdollars: UInt64) {
            self.tokens = tokens
            self.microdollars = microdollars
        }

        fileprivate static func + (left: Amount, right: Amount) -> Amount {
            Amount(
                tokens: left.tokens.saturatingAdd(right.tokens),
                microdollars: left.microdollars.saturatingAdd(right.microdollars)
            )
        }

        fileprivate static func - (left: Amount, right: Amount) -> Amount {
            Amount(
                tokens: left.tokens - min(left.tokens, right.tokens),
                microdollars: left.microdollars - min(left.microdollars, right.microdollars)
            )
        }
    }

    private struct State {
        var used = Amount(tokens: 0, microdollars: 0)
        var reserved = Amount(tokens: 0, microdollars: 0)
        var lastNumber: UInt64 = 0
    }

    private let state = Mutex(State())

    package init() {}

    /// What was used, and what is set aside.
    package var sums: (used: Amount, reserved: Amount) { state.withLock { ($0.used, $0.reserved) } }

    /// Sets an amount aside.
    ///
    /// - Returns: the request's number.
    package func reserve(_ amount: Amount, _ rules: ModelRules) throws(EgressRefusal) -> UInt64 {
        let result: Result<UInt64, EgressRefusal> = state.withLock { state in
            let sum = state.used + state.reserved + amount
            if let most = rules.tokensMax, sum.tokens > most {
                return .failure(Self.tokens(state.used.tokens, state.reserved.tokens, amount.tokens, most))
            }
            if let most = rules.microdollarsMax, sum.microdollars > most {
                return .failure(Self.money(state.used, state.reserved, amount, most))
            }
            state.reserved = state.reserved + amount
            state.lastNumber += 1
            return .success(state.lastNumber)
        }
        return try result.get()
    }

    /// Gives back what was set aside for a request, and takes down what it used.
    package func settle(_ reserved: Amount, used: Amount) {
        state.withLock { state in
            state.reserved = state.reserved - reserved
            state.used = state.used + used
        }
    }

    private static let advice = "Stop here and say what is left to do; a person can start another run with more."

    private static func tokens(_ used: UInt64, _ reserved: UInt64, _ wanted: UInt64, _ most: UInt64) -> EgressRefusal {
        let pending = reserved > 0 ? ", \(reserved) more are set aside for requests under way" : ""
        return EgressRefusal(
            RuleID("model-budget"),
            "the run may use \(most) tokens, \(used) are used\(pending), and this request may take \(wanted)",
            remedy: "An operator sets limits.tokens or --tokens higher. " + advice
        )
    }

    private static func money(_ used: Amount, _ reserved: Amount, _ wanted: Amount, _ most: UInt64) -> EgressRefusal {
        func text(_ microdollars: UInt64) -> String { MoneyText.dollars(microdollars) }
        let pending =
            reserved.microdollars > 0
            ? ", \(text(reserved.microdollars)) more are set aside for requests under way" : ""
        return EgressRefusal(
            RuleID("model-budget"),
            "the run may spend \(text(most)), \(text(used.microdollars)) are spent\(pending), and this request may "
                + "take " + text(wanted.microdollars),
            remedy: "An operator sets limits.money or --money higher. " + advice
        )
    }
}
