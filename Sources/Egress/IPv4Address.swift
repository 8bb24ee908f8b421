/// An IPv4 address in host byte order.
package struct IPv4Address: Hashable, Sendable, CustomStringConvertible {
    package let value: UInt32

    package init(value: UInt32) { self.value = value }

    /// Reads dotted decimal: four numbers up to 255 without leading zeros, and nothing else. Every other spelling
    /// (octal, hexadecimal, fewer parts) is read differently by different programs, so none is an address here.
    package init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count <= 15 else { return nil }
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var value: UInt32 = 0
        for part in parts {
            guard let octet = Decimal.value(part, max: 255) else { return nil }
            value = value << 8 | UInt32(octet)
        }
        self.value = value
    }

    package init?(_ text: String) { self.init(Array(text.utf8)) }

    package var description: String {
        [24, 16, 8, 0].map { (shift: UInt32) in String(value >> shift & 255) }.joined(separator: ".")
    }
}

/// Whole numbers in decimal digits, without sign or leading zero.
enum Decimal {
    /// The number, or nil for other text and for more than `max`.
    static func value(_ digits: some Collection<UInt8>, max: Int) -> Int? {
        guard (1...9).contains(digits.count), digits.count == 1 || digits.first != UInt8(ascii: "0") else { return nil }
        var value = 0
        for byte in digits {
            guard ASCII.isDigit(byte) else { return nil }
            value = value * 10 + Int(byte - UInt8(ascii: "0"))
        }
        return value <= max ? value : nil
    }
}

/// Classes of ASCII bytes.
enum ASCII {
    static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }

    static func isLetter(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(lower(byte)) }

    static func lower(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    /// The value of a hexadecimal digit.
    static func hex(_ byte: UInt8) -> UInt8? {
        switch lower(byte) {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): byte - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): lower(byte) - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
