/// A whole number above zero.
package struct CountText: Sendable, Hashable {
    package let value: UInt64

    /// What is accepted, to follow "… is not a count: ".
    package static let accepted = "a whole number above zero, at most \(valueMax)"

    /// Above what any machine has of processes, open files or files in a workspace.
    package static let valueMax: UInt64 = 1_000_000_000

    /// Nil for anything but a number as described by ``accepted``.
    package init?(_ text: some StringProtocol) {
        guard let (number, unit) = NumberText.split(text), unit.isEmpty, number > 0, number <= Self.valueMax else {
            return nil
        }
        value = number
    }
}
