import BrokerLink
import Domain
import Egress
import Synchronization

/// What the requests of one sandbox share beside policy: where values come from, and who meters.
final class Credentials: Sendable {
    let values: any CredentialValues
    private let meters: (any ModelMeters)?

    private struct Watched {
        let secrets: [HeldSecret]
        let watch: PlaceholderWatch?
    }

    private let watched: Mutex<Watched?> = Mutex(nil)

    init(values: any CredentialValues, meters: (any ModelMeters)?) {
        self.values = values
        self.meters = meters
    }

    /// What is looked for in what leaves; nil for a run without secrets.
    ///
    /// - Throws: where there is no memory for it; no request passes then.
    func watch(_ settings: BrokerSettings) throws(EgressRefusal) -> PlaceholderWatch? {
        guard !settings.secrets.isEmpty else { return nil }
        do throws(SecretMemory.Failure) {
            return try watched.withLock { watched throws(SecretMemory.Failure) in
                if let watched, watched.secrets == settings.secrets { return watched.watch }
                let watch = try PlaceholderWatch(settings.secrets)
                watched = Watched(secrets: settings.secrets, watch: watch)
                return watch
            }
        } catch {
            throw EgressRefusal(CredentialRules.missing, "requests cannot be watched for placeholders: \(error)")
        }
    }

    func passage(_ request: RequestHead, _ judgement: RequestJudgement, _ connection: ClientConnection) -> Passage {
        let isDenied = judgement.decision.verdict == .deny
        return Passage(
            request.target,
            judgement.injection,
            meter: isDenied ? nil : meters?.meter(request, connection),
            watch: judgement.watch,
            values: values,
            neighbours: neighbours(request.target, judgement.injection, connection.settings)
        )
    }

    /// Secrets that the host got with other requests, and could send back in answer to this one.
    private func neighbours(
        _ target: ConnectTarget,
        _ injection: Injection?,
        _ settings: BrokerSettings
    ) -> [SecretValue] {
        guard !settings.secrets.isEmpty else { return [] }
        let others = settings.secrets.filter { secret in
            secret != injection?.secret && secret.bindings.contains { $0.isAt(target) }
        }
        return others.flatMap(values.known)
    }
}
