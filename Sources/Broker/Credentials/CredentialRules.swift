import BrokerLink
import Domain
import Egress

/// Which secret a request carries, and which requests go nowhere because a secret is bound to their host.
enum CredentialRules {
    static let missing = RuleID("credential-missing")
    /// A login that only a person can begin again: to ask once more is no use.
    static let over = RuleID("login-over")
    private static let plain = RuleID("credential-plain")
    static let socket = RuleID("credential-websocket")
    private static let ambiguous = RuleID("credential-ambiguous")

    /// The secret for a request that policy allows; nil for a request that goes as it came.
    static func injection(
        _ request: RequestHead,
        _ settings: BrokerSettings
    ) throws(EgressRefusal) -> Injection? {
        guard !settings.secrets.isEmpty, case .name(let name) = request.target.host else { return nil }
        var bound: [(secret: HeldSecret, binding: SecretBinding)] = []
        for secret in settings.secrets {
            for binding in secret.bindings where binding.host == name { bound.append((secret, binding)) }
        }
        guard !bound.isEmpty else { return nil }
        guard request.scheme == .https else { throw refusePlain(request, bound[0].binding) }
        bound.removeAll { !$0.binding.isAt(request.target) }
        guard let first = bound.first else { return nil }
        if request.isWebSocket { throw refuseSocket(request, first.secret) }
        // A binding to a path is worth what the path is: one that servers read in different ways is no path.
        if bound.contains(where: { $0.binding.scope.prefix != nil }) { try PathPrefix.check(request.pathOnly) }
        let web = try request.webRequest()
        let covering = bound.filter { $0.binding.covers(web) }
        guard let chosen = covering.first else { return nil }
        guard covering.allSatisfy({ $0.secret.name == chosen.secret.name && $0.binding.slot == chosen.binding.slot })
        else { throw refuseAmbiguous(request, covering.map(\.secret.name)) }
        return Injection(
            secret: chosen.secret,
            slot: chosen.binding.slot,
            stripped: credentialFields(request.target, settings)
        )
    }

    /// Fields of a model's provider in which a client could have put its own credentials.
    private static func credentialFields(_ target: ConnectTarget, _ settings: BrokerSettings) -> Set<String> {
        let providers = settings.providers.filter { target.port == $0.port && target.host == .name($0.host) }
        return Set(providers.flatMap(\.credentialFields).map { HTTPField($0, "").hyphenated })
    }

    private static func refusePlain(_ request: RequestHead, _ binding: SecretBinding) -> EgressRefusal {
        EgressRefusal(
            plain,
            "a secret is bound to \(binding.host), and nothing goes there in clear, where others read along",
            remedy: "Write https://\(binding.host) in place of http://."
        )
    }

    private static func refuseSocket(_ request: RequestHead, _ secret: HeldSecret) -> EgressRefusal {
        EgressRefusal(
            socket,
            "the secret \(secret.name) is bound to \(request.target), and what goes through a WebSocket is not seen",
            remedy: "Use the service's requests over HTTP, or have the operator take the binding away."
        )
    }

    private static func refuseAmbiguous(_ request: RequestHead, _ names: [String]) -> EgressRefusal {
        EgressRefusal(
            ambiguous,
            "several secrets or fields are bound to this request: \(Set(names).sorted().joined(separator: ", "))",
            remedy: "An operator binds each request to one secret in one field."
        )
    }
}
