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
        return (decision, treatment(target, settings))
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
