package import Domain

/// What may be reached: the operator's entries, narrowed by the project's, and the declared upstreams.
package struct NetworkPolicy: Sendable, Equatable {
    /// The operator's entries; `nil` for every globally reachable address on ports 80 and 443.
    package var allow: [NetworkRule]?
    /// The project's entries: where there are any, they too must cover a destination.
    package var narrowed: [NetworkRule]?
    package var upstreams: [Upstream]
    package var addresses: AddressGuard

    /// Nothing may be reached.
    package init(
        allow: [NetworkRule]? = [],
        narrowed: [NetworkRule]? = nil,
        upstreams: [Upstream] = [],
        addresses: AddressGuard = AddressGuard()
    ) {
        self.allow = allow
        self.narrowed = narrowed
        self.upstreams = upstreams
        self.addresses = addresses
    }

    /// Every globally reachable address on ports 80 and 443: for a dry run of the guard alone.
    package static let everythingPublic = NetworkPolicy(allow: nil)

    static let publicPorts: Set<UInt16> = [80, 443]
}

/// The answer to a destination: the verdict, the rule that decided, why, and what would allow it.
package struct EgressDecision: Sendable, Equatable {
    package let verdict: Verdict
    package let rule: RuleID
    package let reason: String
    /// What would allow it; nil where nothing does, and for what is allowed.
    package let remedy: String?

    init(allow rule: RuleID, _ reason: String) {
        verdict = .allow
        self.rule = rule
        self.reason = reason
        remedy = nil
    }

    package init(_ refusal: EgressRefusal) {
        verdict = .deny
        rule = refusal.rule
        reason = refusal.reason
        remedy = refusal.remedy
    }

    /// What a function allows, or what it was refused for.
    static func of(_ judge: () throws(EgressRefusal) -> EgressDecision) -> EgressDecision {
        do { return try judge() } catch { return EgressDecision(error) }
    }
}
