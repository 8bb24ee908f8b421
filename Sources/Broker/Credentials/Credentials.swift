import BrokerLink
import Domain
import Egress
import NIOCore

/// What the requests of one sandbox share beside policy: where values come from, and who meters.
final class Credentials: Sendable {
    let values: any CredentialValues
    private let meters: (any ModelMeters)?

    init(values: any CredentialValues, meters: (any ModelMeters)?) {
        self.values = values
        self.meters = meters
    }

    func passage(_ request: RequestHead, _ judgement: RequestJudgement, _ connection: ClientConnection) -> Passage {
        guard judgement.decision.verdict != .deny else { return Passage(nil, meter: nil) }
        return Passage(judgement.injection, meter: meters?.meter(request, connection))
    }
}
