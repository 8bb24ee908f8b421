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

    /// The IPv4 address that a socket of both families shows in `::ffff:0:0/96` (RFC 4291, section 2.5.5.2); every
    /// other address as it is.
    package var unmapped: IPAddress {
        guard case .v6(let v6) = self, v6.high == 0, v6.low >> 32 == 0xFFFF else { return self }
        return .v4(IPv4Address(value: UInt32(truncatingIfNeeded: v6.low)))
    }
}

extension IPAddress {
    /// As they travel: 4 or 16, the highest first.
    package var networkBytes: [UInt8] {
        switch self {
        case .v4(let v4): Self.bytes(UInt64(v4.value), count: 4)
        case .v6(let v6): Self.bytes(v6.high, count: 8) + Self.bytes(v6.low, count: 8)
        }
    }

    /// Nil unless there are 4 or 16.
    package init?(networkBytes bytes: some Collection<UInt8>) {
        func value(_ part: some Sequence<UInt8>) -> UInt64 { part.reduce(0) { $0 << 8 | UInt64($1) } }
        switch bytes.count {
        case 4: self = .v4(IPv4Address(value: UInt32(value(bytes))))
        case 16: self = .v6(IPv6Address(high: value(bytes.prefix(8)), low: value(bytes.suffix(8))))
        default: return nil
        }
    }

    private static func bytes(_ value: UInt64, count: Int) -> [UInt8] {
        (0..<count).map { UInt8(value >> UInt64((count - 1 - $0) * 8) & 0xFF) }
    }
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
