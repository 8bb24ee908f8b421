import Egress
import Policy

/// A secret that a run is to have: what it is called, where its value is found outside, and where it may go.
struct SecretRequest: Sendable, Equatable {
    /// The variable that holds its placeholder inside.
    let name: String
    let source: SecretSetting.Source
    var bindings: [SecretBinding]
    /// What says so, for messages: `--secret`, `secrets:`, a recipe.
    let origin: String
    /// Set where it is a login, whose file the source names.
    var login: LoginPlace?
}
