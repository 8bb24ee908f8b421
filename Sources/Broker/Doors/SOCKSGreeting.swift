package import BrokerLink
import Domain
package import Egress

/// SOCKS5 without a password (RFC 1928): CONNECT by name. Nobody but the sandbox reaches the socket.
package struct SOCKSGreeting: Greeting {
    package let door = ConnectionRecord.Door.socks
    package let answersInKind = false
    private var isGreeted = false
    /// The version that the client speaks, as far as it is known.
    private var version: UInt8 = 5

    private enum Reply: UInt8 {
        case granted = 0, notAllowed = 2, hostUnreachable = 4, commandUnknown = 7, addressTypeUnknown = 8
    }
    /// Of a request that was not understood.
    private var failure = Reply.notAllowed

    package init() {}

    package mutating func read(
        _ bytes: inout ArraySlice<UInt8>,
        _ limits: BrokerLimits
    ) throws(EgressRefusal) -> Heard {
        guard let first = bytes.first else { return .more }
        guard first == 5 else {
            version = first
            throw Self.malformed("its version is \(first), and only 5 is spoken here")
        }
        return isGreeted ? try readRequest(&bytes) : try readMethods(&bytes)
    }

    private mutating func readMethods(_ bytes: inout ArraySlice<UInt8>) throws(EgressRefusal) -> Heard {
        let said = Array(bytes.prefix(2 + 255))
        guard said.count >= 2, said.count >= 2 + Int(said[1]) else { return .more }
        let methods = said[2..<(2 + Int(said[1]))]
        guard methods.contains(0) else {
            throw Self.malformed("it offers no connection without a password")
        }
        bytes = bytes.dropFirst(2 + methods.count)
        isGreeted = true
        return .reply([5, 0])
    }

    private mutating func readRequest(_ bytes: inout ArraySlice<UInt8>) throws(EgressRefusal) -> Heard {
        let said = Array(bytes.prefix(4 + 1 + 255 + 2))
        guard said.count >= 5 else { return .more }
        let lengths: [UInt8: Int] = [1: 4, 3: 1 + Int(said[4]), 4: 16]
        guard let length = lengths[said[3]] else {
            failure = .addressTypeUnknown
            throw Self.malformed("its address type is \(said[3])")
        }
        guard said.count >= 4 + length + 2 else { return .more }
        guard said[1] == 1 else {
            failure = .commandUnknown
            throw EgressRefusal(
                RuleID("socks-command"),
                "the SOCKS command \(Self.commands[said[1]] ?? String(said[1])) is not served",
                remedy: "Ask for CONNECT; nothing but TCP to a listed name leaves a sandbox."
            )
        }
        guard said[2] == 0 else { throw Self.malformed("its reserved byte is not zero") }
        let port = UInt16(said[4 + length]) << 8 | UInt16(said[5 + length])
        guard port > 0 else { throw Self.malformed("its port is 0") }
        let target = ConnectTarget(host: try Self.host(said[3], said[4..<(4 + length)]), port: port)
        bytes = bytes.dropFirst(4 + length + 2)
        return .tunnel(target)
    }

    private static func host(_ type: UInt8, _ field: ArraySlice<UInt8>) throws(EgressRefusal) -> Host {
        func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        switch type {
        case 1: return .address(.v4(IPv4Address(value: UInt32(number(field)))))
        case 4: return .address(.v6(IPv6Address(high: number(field.prefix(8)), low: number(field.suffix(8)))))
        default:
            let host = try Host(field.dropFirst())
            guard case .name = host else { throw malformed("an address stands where its type says a name") }
            return host
        }
    }

    package func ready() -> [UInt8]? { reply(.granted) }

    package func denied(_ refusal: EgressRefusal, isMalformed: Bool, first: UInt8?) -> [UInt8]? {
        switch version {
        case 5: isGreeted ? reply(isMalformed ? failure : .notAllowed) : [5, 0xFF]
        // "Request rejected", in the words of version 4.
        case 4: [0, 0x5B, 0, 0, 0, 0, 0, 0]
        default: nil
        }
    }

    package func unreachable(_ failure: DialFailure, first: UInt8?) -> [UInt8]? { reply(.hostUnreachable) }

    /// The address that a connection is bound to is the broker's business: zeros.
    private func reply(_ code: Reply) -> [UInt8] { [5, code.rawValue, 0, 1, 0, 0, 0, 0, 0, 0] }

    private static let commands: [UInt8: String] = [2: "BIND", 3: "UDP ASSOCIATE"]

    private static func malformed(_ problem: String) -> EgressRefusal {
        EgressRefusal(
            RuleID("socks-syntax"),
            "the SOCKS request is not understood: \(problem)",
            remedy: "Speak SOCKS5 without a password, and ask for CONNECT by name."
        )
    }
}
