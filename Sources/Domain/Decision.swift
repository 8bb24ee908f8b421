/// What the gate says about an action or a change. Stronger verdicts win: deny over ask over note over allow.
package enum Verdict: String, Sendable, Comparable, CaseIterable {
    case allow, note, ask, deny

    package static func < (left: Verdict, right: Verdict) -> Bool { left.strength < right.strength }

    private var strength: Int {
        switch self {
        case .allow: 0
        case .note: 1
        case .ask: 2
        case .deny: 3
        }
    }
}

/// How much damage an action could do, as computed by Bailey and never declared by an agent.
package enum Risk: String, Sendable, CaseIterable {
    case low, medium, high, critical
}

/// The name of a rule, constant in the source, so that people and tests can refer to it.
package struct RuleID: Hashable, Sendable, CustomStringConvertible {
    package let rawValue: String
    package init(_ name: StaticString) { rawValue = name.description }

    /// A rule's name that another process of ours tells: lower-case letters, digits and hyphens.
    package init?(told name: String) {
        let isName = name.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "-")
        }
        guard isName, (1...64).contains(name.utf8.count) else { return nil }
        rawValue = name
    }

    package var description: String { rawValue }
}

/// The answer to an action: the verdict, the rule that decided, and a sentence that a person and a model can act on.
package struct Decision: Sendable, Equatable {
    package let verdict: Verdict
    package let rule: RuleID
    package let risk: Risk
    package let reason: String

    package init(verdict: Verdict, rule: RuleID, risk: Risk, reason: String) {
        self.verdict = verdict
        self.rule = rule
        self.risk = risk
        self.reason = reason
    }
}
