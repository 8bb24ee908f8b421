/// Whether two bindings could both be meant for one request: it gets one secret, so that is a mistake.
extension SecretBinding {
    package func overlaps(_ other: SecretBinding) -> Bool {
        guard host == other.host, port == other.port else { return false }
        if let methods = scope.methods, let others = other.scope.methods, methods.isDisjoint(with: others) {
            return false
        }
        guard let prefix = scope.prefix, let second = other.scope.prefix else { return true }
        return prefix.covers(second.text) || second.covers(prefix.text)
    }

    /// True for an entry by which the host is also spoken to in clear on the binding's port.
    package func isInClear(by rule: NetworkRule) -> Bool {
        rule.scheme == .http && rule.port == port && rule.covers(host)
    }
}
