/// An address of either family.
package enum IPAddress: Hashable, Sendable, CustomStringConvertible {
    case v4(IPv4Address)
    case v6(IPv6Address)

    /// Reads an address without brackets, zone or port, in its ordinary spelling only.
    package init?(_ text: String) { self.init(Array(text.utf8)) }

    package init?(_ bytes: [UInt8]) {
        if let v4 = IPv4Address(bytes) {
            self = .v4(v4)
        } else if let v6 = IPv6Address(bytes) {
            self = .v6(v6)
        } else {
            return nil
        }
    }

    package var description: String {
        switch self {
        case .v4(let address): address.description
        case .v6(let address): address.description
        }
    }

    /// As it stands in a URL or before a port.
    package var bracketed: String { if case .v6 = self { "[\(self)]" } else { description } }
}

/// Neighbouring addresses with a common prefix (CIDR).
package struct AddressBlock: Hashable, Sendable, CustomStringConvertible {
    package let first: IPAddress
    /// Bits that all addresses of the block share.
    package let prefixBits: Int

    /// Reads `ADDRESS/BITS`; nil for other text and where bits behind the prefix are set.
    package init?(_ text: String) {
        let parts = Array(text.utf8).split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard parts.count == 2, let first = IPAddress(Array(parts[0])) else { return nil }
        let width = if case .v4 = first { 32 } else { 128 }
        guard let bits = Decimal.value(parts[1], max: width) else { return nil }
        self.first = first
        prefixBits = bits
        guard Self.prefix(first, bits) == first else { return nil }
    }

    /// A block of the tables in the source; they are read once, by ``SpecialPurpose``.
    package func contains(_ address: IPAddress) -> Bool { Self.prefix(address, prefixBits) == first }

    package var description: String { "\(first)/\(prefixBits)" }

    /// The address with every bit behind the prefix cleared.
    private static func prefix(_ address: IPAddress, _ bits: Int) -> IPAddress {
        switch address {
        case .v4(let v4):
            .v4(IPv4Address(value: v4.value & (bits == 0 ? 0 : .max << UInt32(32 - min(bits, 32)))))
        case .v6(let v6):
            .v6(IPv6Address(high: v6.high & mask(bits), low: v6.low & mask(bits - 64)))
        }
    }

    private static func mask(_ bits: Int) -> UInt64 { bits <= 0 ? 0 : bits >= 64 ? .max : .max << UInt64(64 - bits) }
}
