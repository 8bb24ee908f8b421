/// A number of bytes as people write it: `1000`, `512K`, `64MiB`, `4GiB`.
package struct ByteSize: Sendable, Hashable {
    package let bytes: UInt64

    /// What is accepted, to follow "… is not a size: ".
    package static let accepted =
        "a whole number above zero, with K, M, G or T (also KiB, MiB, …) for powers of 1024, or KB, MB, … for "
        + "powers of 1000"

    /// More than any machine has; keeps later arithmetic from overflowing.
    package static let bytesMax: UInt64 = 1 << 50

    /// Nil for anything but a number as described by ``accepted``.
    package init?(_ text: some StringProtocol) {
        guard let (number, unit) = NumberText.split(text), let factor = Self.factor(unit) else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: factor)
        guard !overflow, bytes > 0, bytes <= Self.bytesMax else { return nil }
        self.bytes = bytes
    }

    private static func factor(_ unit: String) -> UInt64? {
        switch unit {
        case "", "b": 1
        case "k", "kib": 1 << 10
        case "m", "mib": 1 << 20
        case "g", "gib": 1 << 30
        case "t", "tib": 1 << 40
        case "kb": 1000
        case "mb": 1_000_000
        case "gb": 1_000_000_000
        case "tb": 1_000_000_000_000
        default: nil
        }
    }
}

/// A whole number with a unit behind it.
enum NumberText {
    /// Longest text that is looked at.
    static let bytesMax = 32

    /// The number and its unit in lower case; nil for no number, a sign, a fraction, a leading zero or overflow.
    static func split(_ text: some StringProtocol) -> (UInt64, String)? {
        let bytes = Array(text.utf8)
        guard bytes.count <= bytesMax else { return nil }
        let digits = bytes.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        guard let first = digits.first, first != UInt8(ascii: "0") || digits.count == 1 else { return nil }
        guard let number = UInt64(String(decoding: digits, as: UTF8.self)) else { return nil }
        let unit = bytes.dropFirst(digits.count).map(ASCIIFold.lower)
        return (number, String(decoding: unit, as: UTF8.self))
    }
}
