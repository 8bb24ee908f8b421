import Domain

/// An address and port that the guard looked at. Whoever dials takes this and no other type; only this file makes one.
package struct CheckedAddress: Hashable, Sendable, CustomStringConvertible {
    package let address: IPAddress
    package let port: UInt16

    fileprivate init(_ address: IPAddress, _ port: UInt16) {
        self.address = address
        self.port = port
    }

    package var description: String { "\(address.bracketed):\(port)" }
}

/// Says which addresses may be dialled: those that are globally reachable, and nothing else.
///
/// It allows by block. A list of bad blocks lets through whatever nobody thought of; here what is unknown is refused.
/// It cannot be switched off. The one way to another address is a declared ``Upstream``: one name, one port, one fixed
/// address, by the operator.
package struct AddressGuard: Sendable, Equatable {
    /// The operator's own translators. Addresses under them stand for the IPv4 address within.
    package let nat64: [NAT64Prefix]
    /// This host's own addresses, by which a connection would come back to it.
    package let own: Set<IPAddress>

    package init(nat64: [NAT64Prefix] = [], own: Set<IPAddress> = []) {
        self.nat64 = nat64
        self.own = own
    }

    /// Checks all answers of one lookup: a single bad one refuses them all, as whoever mixes bad with good means ill.
    package func check(_ answers: [IPAddress], port: UInt16) throws(EgressRefusal) -> [CheckedAddress] {
        guard !answers.isEmpty else {
            throw EgressRefusal(RuleID("address-none"), "there is no address to connect to")
        }
        for answer in answers { if let refusal = refusal(of: answer) { throw refusal } }
        return answers.map { CheckedAddress($0, port) }
    }

    /// A declared upstream has its one address from the operator.
    package func check(_ upstream: Upstream) -> CheckedAddress {
        CheckedAddress(upstream.address, upstream.addressPort)
    }

    /// Why an address may not be dialled; nil for a globally reachable one.
    package func refusal(of address: IPAddress) -> EgressRefusal? {
        if own.contains(address) {
            return refuse(address, RuleID("address-own"), "this host's own address")
        }
        if let cloud = SpecialPurpose.clouds.first(where: { $0.block.contains(address) }) {
            return refuse(address, cloud.rule, cloud.name)
        }
        switch address {
        case .v4(let v4): return refusal(of: v4)
        case .v6(let v6): return refusal(of: v6)
        }
    }

    private func refusal(of address: IPv4Address) -> EgressRefusal? {
        let whole = IPAddress.v4(address)
        if SpecialPurpose.v4Exceptions.contains(where: { $0.contains(whole) }) { return nil }
        return SpecialPurpose.v4.first { $0.block.contains(whole) }.map { refuse(whole, $0.rule, $0.name) }
    }

    private func refusal(of address: IPv6Address) -> EgressRefusal? {
        let whole = IPAddress.v6(address)
        for prefix in nat64 { if let inner = prefix.embedded(in: address) { return embedded(inner, in: whole) } }
        if NAT64Prefix.isWellKnown(address) { return embedded(address.embedded(atByte: 12), in: whole) }
        if SpecialPurpose.v6Exceptions.contains(where: { $0.contains(whole) }) { return nil }
        if let special = SpecialPurpose.v6.first(where: { $0.block.contains(whole) }) {
            return refuse(whole, special.rule, special.name)
        }
        guard SpecialPurpose.v6Global.contains(where: { $0.contains(whole) }) else {
            let named = SpecialPurpose.v6Named.first { $0.block.contains(whole) }
            let unknown = "outside 2000::/3, the only global unicast space"
            return refuse(whole, named?.rule ?? SpecialPurpose.reserved, named?.name ?? unknown)
        }
        // ISATAP (RFC 5214): the interface identifier says which IPv4 address the packet is sent to.
        if address.low >> 32 & 0xFCFF_FFFF == 0x0000_5EFE { return embedded(address.embedded(atByte: 12), in: whole) }
        return nil
    }

    private func embedded(_ inner: IPv4Address, in whole: IPAddress) -> EgressRefusal? {
        guard let refusal = refusal(of: .v4(inner)) else { return nil }
        return EgressRefusal(
            SpecialPurpose.embedded,
            "the address \(whole) carries an IPv4 address: \(refusal.reason)",
            remedy: refusal.remedy
        )
    }

    private func refuse(_ address: IPAddress, _ rule: RuleID, _ name: String) -> EgressRefusal {
        EgressRefusal(
            rule,
            "\(address) is not globally reachable: \(name)",
            remedy: "Only a declared upstream of the operator's reaches it: one name, one port, this address."
        )
    }
}
