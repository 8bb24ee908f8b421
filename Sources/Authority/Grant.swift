package import Domain
import Policy

/// A permission to do one thing once, soon. An executor accepts nothing else, and consumes it.
///
/// It cannot be copied, stored in a collection or written down. Only ``Authority/authorize(_:)`` in this file makes
/// one, and it evaluates the action itself.
package struct Grant: ~Copyable, Sendable {
    package let id: GrantID
    package let action: Action
    package let decision: Decision
    /// Keyed digest of the whole action.
    package let digest: Digest
    private let expiresNanoseconds: UInt64

    fileprivate init(id: GrantID, action: Action, decision: Decision, digest: Digest, expiresNanoseconds: UInt64) {
        self.id = id
        self.action = action
        self.decision = decision
        self.digest = digest
        self.expiresNanoseconds = expiresNanoseconds
    }

    /// Spends the grant: returns the action to perform, or throws if it came too late. There is no second time.
    package consuming func redeem(at time: any TimeSource) throws(AuthorityError) -> Action {
        guard time.monotonicNanoseconds() < expiresNanoseconds else {
            throw AuthorityError(.grantExpired, "use the grant: it was not used within 120 s")
        }
        return action
    }
}

/// Decides what may be done, and makes the grants for it.
package struct Authority: Sendable {
    /// How long a grant may wait for its use. Long enough to prepare a workspace, too short to be kept.
    package static let grantLifetimeSeconds: UInt64 = 120

    private let time: any TimeSource
    private let keyedDigest: @Sendable ([UInt8]) -> Digest
    private let random: @Sendable () -> UInt64

    /// - Parameters:
    ///   - keyedDigest: an HMAC with the user's key, so that a digest tells nothing to who lacks it.
    ///   - random: 64 random bits.
    package init(
        time: any TimeSource,
        keyedDigest: @escaping @Sendable ([UInt8]) -> Digest,
        random: @escaping @Sendable () -> UInt64
    ) {
        self.time = time
        self.keyedDigest = keyedDigest
        self.random = random
    }

    package func decide(_ action: Action) -> Decision { ActionRules.decide(action) }

    package func digest(of action: Action) -> Digest { keyedDigest(action.canonicalBytes) }

    /// Evaluates the action and gives the permission, or throws with the decision that stands against it.
    package func authorize(_ action: Action) throws(AuthorityError) -> Grant {
        let decision = decide(action)
        switch decision.verdict {
        case .deny:
            throw AuthorityError(.denied, decision.reason, decision: decision)
        case .ask:
            throw AuthorityError(.approvalNeeded, decision.reason, decision: decision)
        case .allow, .note:
            return Grant(
                id: GrantID.make(milliseconds: time.unixMilliseconds(), random: random()),
                action: action,
                decision: decision,
                digest: digest(of: action),
                expiresNanoseconds: time.monotonicNanoseconds() + Self.grantLifetimeSeconds * 1_000_000_000
            )
        }
    }
}
