import Catalogue
import Domain
import Journal
import Redaction

/// What the record of a new run says of the agent that it is.
extension RunRecords {
    /// The recipe that it follows, and whether the agent's own sandbox was told of this one.
    func recipe(_ agent: RunAgent) -> RecordValue {
        guard let recipe = agent.recipe else { return .null }
        return .object([("name", .text(redactor.redact(recipe.name))), ("told_of_wall", .flag(recipe.tellsOfWall))])
    }

    /// A service, and how the command reaches it.
    func service(_ service: ModelServices.Service) -> RecordValue {
        .object([
            ("name", .text(redactor.redact(service.provider.name))),
            ("gateway_port", service.gatewayPort.map { .unsigned(UInt64($0)) } ?? .null),
        ])
    }
}
