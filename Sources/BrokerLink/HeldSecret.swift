package import Egress

/// A secret that the broker holds for a run: what it is called, what stands for it inside, and where it goes. Its value
/// comes by an order of its own; see ``BrokerOrder/secret(_:)``.
package struct HeldSecret: Sendable, Equatable {
    /// What the value is.
    package enum Form: String, Sendable, CaseIterable {
        /// The secret and nothing else.
        case value
        /// The file in which Claude Code keeps its login.
        case claudeLogin = "claude-login"
        /// The file in which Codex keeps its login.
        case codexLogin = "codex-login"

        /// How a person logs in; empty for a value.
        package var logIn: String {
            switch self {
            case .value: ""
            case .claudeLogin: "run claude, and there /login"
            case .codexLogin: "run codex login"
            }
        }
    }

    package let name: String
    package let placeholder: Placeholder
    package let form: Form
    package let bindings: [SecretBinding]

    package init(name: String, placeholder: Placeholder, form: Form = .value, bindings: [SecretBinding]) {
        self.name = name
        self.placeholder = placeholder
        self.form = form
        self.bindings = bindings
    }
}
