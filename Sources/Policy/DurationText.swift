/// A length of time as people write it: `90` (seconds), `250ms`, `2s`, `5m`, `1h`.
package struct DurationText: Sendable, Hashable {
    package let milliseconds: UInt64

    /// What is accepted, to follow "… is not a duration: ".
    package static let accepted =
        "a whole number of seconds above zero, or one with ms, s, m, h or d, such as 90, 250ms, 5m or 1h; at most "
        + "a year"

    /// A year: longer is a slip of the pen.
    package static let millisecondsMax: UInt64 = 366 * 86_400_000

    /// Nil for anything but a number as described by ``accepted``.
    package init?(_ text: some StringProtocol) {
        guard let (number, unit) = NumberText.split(text), let factor = Self.factor(unit) else { return nil }
        let (milliseconds, overflow) = number.multipliedReportingOverflow(by: factor)
        guard !overflow, milliseconds > 0, milliseconds <= Self.millisecondsMax else { return nil }
        self.milliseconds = milliseconds
    }

    package var seconds: Double { Double(milliseconds) / 1000 }

    /// For limits that the kernel counts in whole seconds.
    package var secondsRoundedUp: UInt64 { (milliseconds + 999) / 1000 }

    private static func factor(_ unit: String) -> UInt64? {
        switch unit {
        case "ms": 1
        case "", "s": 1000
        case "m": 60_000
        case "h": 3_600_000
        case "d": 86_400_000
        default: nil
        }
    }
}
