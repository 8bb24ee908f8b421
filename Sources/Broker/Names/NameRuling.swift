import BrokerLink
import Domain
package import Egress

/// What is answered to a question, before anybody gets an address.
package enum NameRuling: Sendable, Equatable {
    /// A listed name: its address of one family inside.
    case listed(HostName, Family)
    /// Loopback, which is the programs' own.
    case local([IPAddress])
    /// The name of a loopback address.
    case localName
    /// The name of an address of the sandbox's own network, if it stands for one.
    case reverse(IPAddress)
    /// A listed name, asked for something that no program here needs an answer to.
    case nothing
    /// A service of a listed host, as programs such as apt look for one first: there is none, and to ask is no offence.
    case noService
    case refused(EgressRefusal)

    package enum Family: Sendable, Equatable { case v4, v6 }

    package init(_ question: DNSQuestion, _ policy: NetworkPolicy) {
        self = Self.judge(question, policy)
    }

    private static let localhost = Array("localhost".utf8)
    private static let loopbackV4 = IPAddress.v4(IPv4Address(value: 0x7F00_0001))
    private static let loopbackV6 = IPAddress.v6(IPv6Address(high: 0, low: 1))

    private static func judge(_ question: DNSQuestion, _ policy: NetworkPolicy) -> NameRuling {
        guard question.network == DNSQuestion.internet else {
            return .refused(
                EgressRefusal(RuleID("dns-class"), "a question of class \(question.network) is not answered")
            )
        }
        guard !question.type.isTransfer else {
            return .refused(EgressRefusal(RuleID("dns-type"), "a transfer of \(question.name) is not answered"))
        }
        let name = question.name.folded
        if name.labels.last.map({ $0.elementsEqual(localhost) }) ?? false { return local(question.type) }
        if let address = ReverseName.address(of: name) {
            if address == loopbackV4 || address == loopbackV6 {
                return question.type == .pointer ? .localName : .nothing
            }
            if SandboxNetwork.contains(address) { return question.type == .pointer ? .reverse(address) : .nothing }
        }
        return listed(name, question.type, policy)
    }

    /// RFC 6761, section 6.3: every name below `localhost` too.
    private static func local(_ type: DNSType) -> NameRuling {
        switch type {
        case .a: .local([loopbackV4])
        case .aaaa: .local([loopbackV6])
        default: .nothing
        }
    }

    /// The host of `_SERVICE._tcp.HOST` (RFC 2782); nil for other names.
    private static func serviceHost(_ name: DNSName) -> [UInt8]? {
        let labels = name.labels
        guard labels.count > 3, labels[0].first == UInt8(ascii: "_"),
            labels[1].elementsEqual("_tcp".utf8) || labels[1].elementsEqual("_udp".utf8)
        else { return nil }
        return Array(labels[2...].joined(separator: [UInt8(ascii: ".")]))
    }

    private static func listed(_ name: DNSName, _ type: DNSType, _ policy: NetworkPolicy) -> NameRuling {
        guard let bytes = name.host else {
            return .refused(EgressRefusal(RuleID("host-syntax"), "\(name) is no host name"))
        }
        // Whether a name is listed is one question; what is asked about it another.
        let decision = policy.decide(query: DNSType.a.description, name: bytes)
        if decision.verdict != .allow, let host = serviceHost(name),
            policy.decide(query: DNSType.a.description, name: host).verdict == .allow
        {
            return .noService
        }
        guard decision.verdict == .allow, case .name(let host)? = try? Host(bytes) else {
            return .refused(EgressRefusal(decision.rule, decision.reason, remedy: decision.remedy))
        }
        switch type {
        case .a: return .listed(host, .v4)
        case .aaaa: return .listed(host, .v6)
        default: return .nothing
        }
    }
}

/// Names that stand for addresses: `1.0.0.127.in-addr.arpa`.
enum ReverseName {
    /// - Parameter name: in lower case.
    static func address(of name: DNSName) -> IPAddress? {
        let labels = name.labels
        guard labels.count >= 3, labels[labels.count - 1].elementsEqual("arpa".utf8) else { return nil }
        let zone = String(decoding: labels[labels.count - 2], as: UTF8.self)
        let parts = labels.dropLast(2).reversed().map { String(decoding: $0, as: UTF8.self) }
        switch (zone, parts.count) {
        case ("in-addr", 4): return IPAddress(parts.joined(separator: "."))
        case ("ip6", 32):
            guard parts.allSatisfy({ $0.utf8.count == 1 }) else { return nil }
            let groups = stride(from: 0, to: 32, by: 4).map { parts[$0..<$0 + 4].joined() }
            return IPAddress(groups.joined(separator: ":"))
        default: return nil
        }
    }
}
