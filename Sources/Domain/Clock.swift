/// The time, handed in so that tests can own it.
package protocol TimeSource: Sendable {
    /// Milliseconds since 1970, UTC.
    func unixMilliseconds() -> UInt64
    /// Nanoseconds of a clock that never goes back.
    func monotonicNanoseconds() -> UInt64
}

/// An instant as RFC 3339 text in UTC with milliseconds: `2026-01-31T23:59:59.999Z`.
package enum Timestamp {
    package static func text(unixMilliseconds: UInt64) -> String {
        let seconds = unixMilliseconds / 1000
        let (year, month, day) = civil(days: Int(seconds / 86400))
        let ofDay = Int(seconds % 86400)
        return pad(year, 4) + "-" + pad(month, 2) + "-" + pad(day, 2) + "T" + pad(ofDay / 3600, 2) + ":"
            + pad(ofDay / 60 % 60, 2) + ":" + pad(ofDay % 60, 2) + "." + pad(Int(unixMilliseconds % 1000), 3) + "Z"
    }

    /// Proleptic Gregorian date of a day number since 1970-01-01 (Howard Hinnant, "chrono-compatible low-level date
    /// algorithms").
    private static func civil(days: Int) -> (Int, Int, Int) {
        let shifted = days + 719_468
        let era = shifted / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, day)
    }

    private static func pad(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}
