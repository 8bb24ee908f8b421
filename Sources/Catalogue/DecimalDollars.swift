/// An amount of dollars as people write it, such as `3` or `0.075`: exact, to a millionth.
struct DecimalDollars {
    private static let fractionDigits = 6
    private static let wholeDigitsMax = 6

    let microdollars: UInt64

    init?(_ text: String) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), (1...Self.wholeDigitsMax).contains(parts[0].utf8.count),
            parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (48...57).contains($0) } })
        else { return nil }
        let fraction = parts.count == 2 ? parts[1] : ""
        guard fraction.utf8.count <= Self.fractionDigits else { return nil }
        let zeros = String(repeating: "0", count: Self.fractionDigits - fraction.utf8.count)
        guard let amount = UInt64(String(parts[0]) + fraction + zeros) else { return nil }
        microdollars = amount
    }
}
