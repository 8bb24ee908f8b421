package import BrokerLink
import Domain
package import Egress

/// A connection to an address that stands for a name. The client says nothing of it: the address says it all.
package struct TransparentGreeting: Greeting {
    package let door = ConnectionRecord.Door.transparent
    private let address: IPAddress?
    private let port: UInt16
    private let name: HostName?

    /// - Parameters:
    ///   - address: where the client connected to, which is the accepted socket's own address.
    ///   - name: the name that the address stands for; nil where it stands for none.
    package init(address: IPAddress?, port: UInt16, name: HostName?) {
        self.address = address
        self.port = port
        self.name = name
    }

    package mutating func read(
        _ bytes: inout ArraySlice<UInt8>,
        _ limits: BrokerLimits
    ) throws(EgressRefusal) -> Heard {
        guard let name else {
            throw EgressRefusal(
                RuleID("address-unnamed"),
                "\(address.map { "\($0.bracketed):\(port)" } ?? "the address") stands for no name",
                remedy: "Look the service's name up first; addresses inside are made for listed names alone."
            )
        }
        return .tunnel(ConnectTarget(host: .name(name), port: port))
    }

    package func ready() -> [UInt8]? { nil }

    package func denied(_ refusal: EgressRefusal, isMalformed: Bool, first: UInt8?) -> [UInt8]? {
        PlainAnswer.bytes(refusal, first: first)
    }

    package func unreachable(_ failure: DialFailure, first: UInt8?) -> [UInt8]? {
        guard let first, (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(first) else { return nil }
        return DenyAnswer.unreachable(failure.reason, status: failure.status)
    }

    /// TLS and HTTP have words for it, and there the client speaks first.
    package var answersInKind: Bool { name != nil && (port == 80 || port == 443) }
}
