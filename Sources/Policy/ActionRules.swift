package import Domain

/// The rules over actions. What is not named is denied.
package enum ActionRules {
    package static func decide(_ action: Action) -> Decision {
        guard case .human = action.principal else {
            return Decision(
                verdict: .deny,
                rule: RuleID("unknown-principal"),
                risk: .high,
                reason: "only the operator may do this; agents cannot yet propose actions"
            )
        }
        return switch action.kind {
        case .runCommand(let command) where command.workspace == .direct:
            Decision(
                verdict: .allow,
                rule: RuleID("operator-direct-run"),
                risk: .high,
                reason: "the operator ran the command themselves; it changes the project directly, without a gate"
            )
        case .runCommand:
            Decision(
                verdict: .allow,
                rule: RuleID("operator-run"),
                risk: .medium,
                reason: "the operator ran the command themselves; it runs behind the wall"
            )
        case .applyChanges:
            Decision(
                verdict: .allow,
                rule: RuleID("operator-apply"),
                risk: .medium,
                reason: "the operator brings a change set in; the gate rules judge its entries"
            )
        case .discardChanges:
            Decision(
                verdict: .allow,
                rule: RuleID("operator-discard"),
                risk: .low,
                reason: "the operator throws a change set away"
            )
        }
    }
}
