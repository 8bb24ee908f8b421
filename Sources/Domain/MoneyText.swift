/// An amount of money as people write it: `5 USD`, `0.50 USD`.
package struct MoneyText: Sendable, Hashable {
    package let microdollars: UInt64

    /// What is accepted, to follow "… is not an amount: ".
    package static let accepted = "dollars above zero with USD behind them, such as 5 USD or 0.50 USD"

    /// More than anybody gives to one run.
    private static let dollarsMax: UInt64 = 1_000_000
    private static let fractionDigitsMax = 6

    /// Nil for anything but an amount as described by ``accepted``.
    package init?(_ text: some StringProtocol) {
        let amount = Self.microdollars(text)
        guard let amount, amount > 0 else { return nil }
        microdollars = amount
    }

    /// Zero is a price, and no limit.
    package static func microdollars(_ text: some StringProtocol) -> UInt64? {
        guard text.hasSuffix("USD") else { return nil }
        var number = Array(text.utf8.dropLast(3))[...]
        while number.last == UInt8(ascii: " ") { number = number.dropLast() }
        let parts = number.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let whole = digits(parts[0], most: 7), whole <= dollarsMax else {
            return nil
        }
        guard parts.count == 2 else { return whole * 1_000_000 }
        guard let fraction = digits(parts[1], most: fractionDigitsMax) else { return nil }
        let scale = (parts[1].count..<fractionDigitsMax).reduce(UInt64(1)) { scale, _ in scale * 10 }
        return whole * 1_000_000 + fraction * scale
    }

    private static func digits(_ bytes: some Collection<UInt8>, most: Int) -> UInt64? {
        guard (1...most).contains(bytes.count) else { return nil }
        var number: UInt64 = 0
        for byte in bytes {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            number = number * 10 + UInt64(byte - UInt8(ascii: "0"))
        }
        return number
    }

    /// Millionths of a dollar for a person: `1.25 USD`, and `0.0042 USD` where cents would say nothing.
    package static func dollars(_ microdollars: UInt64) -> String {
        let digits = microdollars < 1_000_000 ? 4 : 2
        let unit: UInt64 = digits == 4 ? 100 : 10_000
        let rounded = microdollars / unit + (microdollars % unit >= unit / 2 ? 1 : 0)
        let scale: UInt64 = digits == 4 ? 10_000 : 100
        let fraction = String(rounded % scale)
        return "\(rounded / scale)." + String(repeating: "0", count: digits - fraction.count) + fraction + " USD"
    }
}
