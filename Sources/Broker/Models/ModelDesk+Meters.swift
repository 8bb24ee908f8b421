import BrokerLink
import Domain
import Egress
import NIOCore

extension ModelDesk: ModelMeters {
    func meter(_ request: RequestHead, _ connection: ClientConnection) -> (any ModelMeter)? {
        guard let provider = settings.current.provider(at: request.target) else { return nil }
        switch ModelEndpoint(request, at: provider) {
        case .billed(let dialect):
            return BilledRequest(self, provider, dialect, path: request.pathOnly, on: connection.channel.eventLoop)
        case .free: return MaskedRequest(self)
        case .other: return nil
        case .misspelled(let path): return RefusedRequest(Self.misspelled(request, path), status: 400)
        case .socket: return RefusedRequest(Self.socket(request), status: 426)
        case .unmetered:
            return rules.isUnlimited ? nil : RefusedRequest(Self.unmetered(request, provider), status: 400)
        }
    }

    private static func misspelled(_ request: RequestHead, _ path: String) -> EgressRefusal {
        EgressRefusal(
            RuleID("model-path"),
            "the path \(EgressRefusal.quoted(request.pathOnly.utf8)) could be read as \(path), which alone "
                + "is metered",
            remedy: "Write \(path)."
        )
    }

    private static func socket(_ request: RequestHead) -> EgressRefusal {
        EgressRefusal(
            RuleID("model-websocket"),
            "what goes to \(request.target) through a WebSocket is not seen, so that it cannot be metered",
            remedy: "Use the service's requests over HTTP, which answer with server-sent events."
        )
    }

    private static func unmetered(_ request: RequestHead, _ provider: ModelProvider) -> EgressRefusal {
        let known = provider.endpoints.map(\.path).joined(separator: ", ")
        return EgressRefusal(
            RuleID("model-unmetered"),
            "\(request.method) \(EgressRefusal.quoted(request.pathOnly.utf8)) at \(provider.name) may be billed, "
                + "nothing says how much, and this run's use of models is limited",
            remedy:
                "Use \(known), or have an operator start the run without limits.tokens, limits.money and models.allow."
        )
    }
}
