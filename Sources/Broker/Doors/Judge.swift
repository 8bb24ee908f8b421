package import BrokerLink
import Domain
package import Egress

/// What is done with a connection.
package enum Treatment: Sendable, Equatable {
    case refuse
    /// Bytes are copied once the server name was compared.
    case splice(requiresTLS: Bool)
    /// Requests are seen: plain ones, ones within TLS, or whichever the client speaks.
    case plainRequests, secureRequests, eitherRequests
}

/// The one decision that all doors ask for, and that is asked for again when the policy changed.
package struct Judge: Sendable {
    private let isForge: @Sendable (HostName, BrokerSettings) -> Bool

    /// - Parameter isForge: says which hosts keep git repositories, so that what is pushed there is seen.
    package init(isForge: @escaping @Sendable (HostName, BrokerSettings) -> Bool) { self.isForge = isForge }

    package func judge(_ target: ConnectTarget, _ settings: BrokerSettings) -> (EgressDecision, Treatment) {
        if let refusal = PlaceholderNames.refusal(of: target.host.description, settings) {
            return (EgressDecision(refusal), .refuse)
        }
        let decision = settings.policy.decide(target)
        guard decision.verdict == .allow else {
            let refusal = EgressRefusal(decision.rule, decision.reason, remedy: decision.remedy)
            let explained = LoginProvider.explained(refusal, target.host.description, settings)
            return (EgressDecision(explained), .refuse)
        }
        if let refusal = Self.unmetered(target, settings) { return (EgressDecision(refusal), .refuse) }
        return (decision, treatment(target, settings))
    }

    /// Where models are limited, no service that bills them is reached past the meter.
    private static func unmetered(_ target: ConnectTarget, _ settings: BrokerSettings) -> EgressRefusal? {
        guard !settings.models.isUnlimited, case .name(let name) = target.host, KnownModelHosts.contains(name),
            settings.provider(at: target) == nil
        else { return nil }
        return EgressRefusal(
            RuleID("model-unmetered"),
            "\(target) runs models, what this run uses of them there is not metered, and its use of models is limited",
            remedy: "Use a service that is metered, by --model-provider, or have an operator start the run without "
                + "limits.tokens, limits.money and models.allow."
        )
    }

    private func treatment(_ target: ConnectTarget, _ settings: BrokerSettings) -> Treatment {
        if settings.isBound(target) { return .secureRequests }
        let sight = settings.policy.sight(target)
        switch target.port {
        case 80: return .plainRequests
        case 443: return sight == .requests || mustSee(target, settings) ? .secureRequests : .splice(requiresTLS: true)
        default:
            if sight == .requests || mustSee(target, settings) { return .eitherRequests }
            return .splice(requiresTLS: sight == .serverName)
        }
    }

    /// A forge is seen on every port but that of SSH, which passes where the operator lists it by name.
    private func mustSee(_ target: ConnectTarget, _ settings: BrokerSettings) -> Bool {
        guard case .name(let name) = target.host, target.port != 22 else { return false }
        return isForge(name, settings)
    }
}
