/// Sizes, times and counts as a person reads them.
enum Quantity {
    private static let sizes: [(bytes: UInt64, unit: String)] = [
        (1_000_000_000_000, "TB"), (1_000_000_000, "GB"), (1_000_000, "MB"), (1000, "kB"),
    ]

    static func bytes(_ count: UInt64) -> String {
        guard let size = sizes.first(where: { count >= $0.bytes }) else { return "\(count) B" }
        return tenths(count / (size.bytes / 10)) + " " + size.unit
    }

    static func time(milliseconds: UInt64) -> String {
        let seconds = milliseconds / 1000
        switch seconds {
        case 0: return "\(milliseconds) ms"
        case ..<60: return tenths(milliseconds / 100) + " s"
        case ..<3600: return "\(seconds / 60) min \(seconds % 60) s"
        default: return "\(seconds / 3600) h \(seconds / 60 % 60) min"
        }
    }

    /// Digits in groups of three.
    static func count(_ number: UInt64) -> String {
        let digits = Array(String(number))
        return digits.indices.map { index in
            let isGroup = index > 0 && (digits.count - index).isMultiple(of: 3)
            return (isGroup ? "," : "") + String(digits[index])
        }.joined()
    }

    static func things(_ number: UInt64, _ one: String, _ many: String) -> String {
        "\(count(number)) \(number == 1 ? one : many)"
    }

    private static func tenths(_ number: UInt64) -> String { "\(number / 10).\(number % 10)" }
}
