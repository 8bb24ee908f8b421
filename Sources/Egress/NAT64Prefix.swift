/// A prefix under which a network's translator embeds IPv4 addresses (RFC 6052, section 2.2).
package struct NAT64Prefix: Hashable, Sendable, CustomStringConvertible {
    package let block: AddressBlock

    /// The lengths that RFC 6052 knows.
    package static let lengths = [32, 40, 48, 56, 64, 96]

    /// Reads `PREFIX/BITS`; nil for what is no IPv6 block of one of the lengths.
    package init?(_ text: String) {
        guard let block = AddressBlock(text), case .v6 = block.first, Self.lengths.contains(block.prefixBits) else {
            return nil
        }
        self.block = block
    }

    /// `64:ff9b::/96`, the prefix that every network may use (RFC 6052, section 2.1).
    static func isWellKnown(_ address: IPv6Address) -> Bool {
        address.high == 0x0064_FF9B_0000_0000 && address.low >> 32 == 0
    }

    /// The IPv4 address that an address under this prefix stands for. Byte 8 is skipped: it is always zero there.
    func embedded(in address: IPv6Address) -> IPv4Address? {
        guard block.contains(.v6(address)) else { return nil }
        if block.prefixBits == 96 { return address.embedded(atByte: 12) }
        let first = block.prefixBits / 8
        var bytes: [UInt8] = []
        for index in first..<first + 5 where index != 8 {
            bytes.append(UInt8((index < 8 ? address.high : address.low) >> UInt64((7 - index % 8) * 8) & 0xFF))
        }
        return IPv4Address(value: bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) })
    }

    package var description: String { block.description }
}
