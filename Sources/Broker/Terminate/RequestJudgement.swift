import BrokerLink
import Domain
import Egress

/// What is to be done with one request.
struct RequestJudgement {
    enum Treatment: Equatable {
        case refuse(ForgeRules.Form)
        /// Its body decides.
        case read
        case pass
    }

    let decision: EgressDecision
    let treatment: Treatment
    /// The secret that it is to carry.
    let injection: Injection?
    /// What its body is looked through for.
    let watch: PlaceholderWatch?

    init(_ request: RequestHead, _ settings: BrokerSettings, _ credentials: Credentials) {
        do throws(EgressRefusal) {
            let watch = try credentials.watch(settings)
            let ruling = Self.rule(request, settings)
            if let refusal = watch?.refusal(of: request, slots: ruling.slots(request, settings)) { throw refusal }
            self.init(ruling.decision, ruling.treatment, ruling.injection, watch)
        } catch {
            self.init(EgressDecision(error), .refuse(.plain), nil, nil)
        }
    }

    private init(
        _ decision: EgressDecision,
        _ treatment: Treatment,
        _ injection: Injection?,
        _ watch: PlaceholderWatch?
    ) {
        self.decision = decision
        self.treatment = treatment
        self.injection = injection
        self.watch = watch
    }

    private static func rule(_ request: RequestHead, _ settings: BrokerSettings) -> RequestJudgement {
        do throws(EgressRefusal) {
            let (decision, treatment) = try judge(request, settings)
            let injection = decision.verdict == .deny ? nil : try CredentialRules.injection(request, settings)
            return RequestJudgement(decision, treatment, injection, nil)
        } catch {
            return RequestJudgement(EgressDecision(error), .refuse(.plain), nil, nil)
        }
    }

    /// Where a placeholder is where it belongs. In a request that is refused anyway, at its own host, it is no alarm.
    private func slots(_ request: RequestHead, _ settings: BrokerSettings) -> [PlaceholderWatch.Slot] {
        if let injection {
            let fields = injection.stripped.union([injection.slot.field])
            return [PlaceholderWatch.Slot(fields: fields, placeholder: injection.secret.placeholder.text)]
        }
        guard decision.verdict == .deny, request.scheme == .https else { return [] }
        return settings.secrets.flatMap { secret in
            secret.bindings.filter { $0.isAt(request.target) }.map {
                PlaceholderWatch.Slot(fields: [$0.slot.field], placeholder: secret.placeholder.text)
            }
        }
    }

    private static func judge(
        _ request: RequestHead,
        _ settings: BrokerSettings
    ) throws(EgressRefusal) -> (EgressDecision, Treatment) {
        guard request.scheme == .https || request.target.port != 443 else {
            throw EgressRefusal(
                RuleID("tls-missing"),
                "what goes to \(request.target) is not encrypted, and that port is for what is",
                remedy: "Write https:// in place of http://."
            )
        }
        let web = try request.webRequest()
        let decision = settings.policy.decide(request: web)
        guard decision.verdict != .deny else { return (decision, .refuse(.plain)) }
        let entries = settings.policy.entries(covering: web)
        if request.isWebSocket {
            try checkSocket(request, entries.allow, isUpstream: decision.rule == RuleID("network-upstream"))
            try checkSocket(request, entries.narrowed, isUpstream: false)
        }
        guard case .name(let name) = request.target.host else { return (decision, .pass) }
        let isListed = entries.allow?.contains { $0.methods != nil && $0.prefix != nil } ?? false
        let isForge = settings.isForge(name)
        switch ForgeRules.judge(request, isForge: isForge, isListed: isListed) {
        case .passes: return (decision, .pass)
        case .needsBody: return (decision, .read)
        case .refused(let refusal, let form): return (EgressDecision(refusal), .refuse(form))
        }
    }

    /// What goes through a WebSocket is not seen, so an entry that names methods does not cover it.
    private static func checkSocket(
        _ request: RequestHead,
        _ entries: [NetworkRule]?,
        isUpstream: Bool
    ) throws(EgressRefusal) {
        guard !isUpstream, let entries, !entries.contains(where: { $0.methods == nil }) else { return }
        throw EgressRefusal(
            RuleID("network-websocket"),
            "a WebSocket to \(request.target) carries more than the methods that are listed",
            remedy: "An operator lists the URL without methods."
        )
    }
}
