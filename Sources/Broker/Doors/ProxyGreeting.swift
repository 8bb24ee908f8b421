package import BrokerLink
import Domain
package import Egress

/// An HTTP/1 proxy: CONNECT, and requests in absolute form, which are handed on with whatever follows them.
package struct ProxyGreeting: Greeting {
    package let door = ConnectionRecord.Door.proxy
    package let answersInKind = false
    private var accepted: [String] = []
    /// Bytes that were looked at in vain, so that a head that trickles is not read anew with every byte.
    private var seenBytes = 0

    package init() {}

    package mutating func read(
        _ bytes: inout ArraySlice<UInt8>,
        _ limits: BrokerLimits
    ) throws(EgressRefusal) -> Heard {
        guard hasNewLine(bytes) || bytes.count >= limits.headBytes else { return .more }
        guard let head = try ProxyHead.read(bytes, limits) else { return .more }
        accepted = head.text("accept").map { [$0] } ?? []
        switch head.target {
        case .tunnel(let target):
            bytes = bytes.dropFirst(head.bytes)
            return .tunnel(target)
        case .request(let address): return .request(address.target)
        }
    }

    /// True if something came that can end a line or is refused; nothing else changes what a head is.
    private mutating func hasNewLine(_ bytes: ArraySlice<UInt8>) -> Bool {
        let new = bytes.dropFirst(max(0, seenBytes - 1))
        seenBytes = bytes.count
        return new.contains { $0 == 0x0A || $0 == 0x0D || $0 == 0 }
    }

    package func ready() -> [UInt8]? { Array("HTTP/1.1 200 Connection established\r\n\r\n".utf8) }

    package func denied(_ refusal: EgressRefusal, isMalformed: Bool, first: UInt8?) -> [UInt8]? {
        let status =
            switch refusal.rule.rawValue {
            case "limit-greeting": 408
            case "limit-pending", "limit-connections": 503
            default: isMalformed ? 400 : 403
            }
        return DenyAnswer.http(refusal, status: status, accepted: accepted)
    }

    package func unreachable(_ failure: DialFailure, first: UInt8?) -> [UInt8]? {
        DenyAnswer.unreachable(failure.reason, status: failure.status)
    }
}
