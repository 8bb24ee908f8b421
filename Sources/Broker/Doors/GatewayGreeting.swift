package import BrokerLink
import Domain
package import Egress

/// A connection to the gateway of a provider of models: plain HTTP inside, whose requests go to the provider over TLS.
/// The port that the client connected to says which provider.
package struct GatewayGreeting: Greeting {
    package let door = ConnectionRecord.Door.gateway
    private let port: UInt16
    private let provider: ConnectTarget?

    /// - Parameter providers: those that a run has.
    package init(port: UInt16, providers: [ModelProvider]) {
        self.port = port
        provider = providers.first { $0.gatewayPort == port }.map { ConnectTarget(host: .name($0.host), port: $0.port) }
    }

    package mutating func read(
        _ bytes: inout ArraySlice<UInt8>,
        _ limits: BrokerLimits
    ) throws(EgressRefusal) -> Heard {
        guard let provider else {
            throw EgressRefusal(
                RuleID("gateway-unknown"),
                "port \(port) leads to no provider of models",
                remedy: "Use the base URL that the environment names."
            )
        }
        return .tunnel(provider)
    }

    package func ready() -> [UInt8]? { nil }

    package func denied(_ refusal: EgressRefusal, isMalformed: Bool, first: UInt8?) -> [UInt8]? {
        PlainAnswer.bytes(refusal, first: first)
    }

    package func unreachable(_ failure: DialFailure, first: UInt8?) -> [UInt8]? {
        DenyAnswer.unreachable(failure.reason, status: failure.status)
    }

    package var answersInKind: Bool { true }
}
