/// A pattern for one name: literal text with at most one `*`, in lower case. Names are folded before they are compared.
struct NamePattern: Sendable, Hashable {
    private let prefix: [UInt8]
    /// Nil where the pattern is literal and `prefix` is the whole name.
    private let suffix: [UInt8]?

    /// - Precondition: the text comes from a table in the source.
    init(_ text: some StringProtocol) {
        let parts = text.utf8.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).map { Array($0) }
        precondition(parts.count == 1 || parts.count == 2, "a name pattern holds at most one `*`: \(text)")
        precondition(text.utf8.allSatisfy { !(0x41...0x5A).contains($0) }, "a name pattern is in lower case: \(text)")
        prefix = parts[0]
        suffix = parts.count == 2 ? parts[1] : nil
    }

    /// The whole name, where the pattern has no `*`.
    var literal: [UInt8]? { suffix == nil ? prefix : nil }

    /// What stands before the `*`; empty for a literal.
    var fixedPrefix: [UInt8] { suffix == nil ? [] : prefix }
    /// What stands behind the `*`; empty for a literal.
    var fixedSuffix: [UInt8] { suffix ?? [] }

    func matches(_ name: some BidirectionalCollection<UInt8>) -> Bool {
        guard let suffix else { return name.elementsEqual(prefix) }
        guard name.count >= prefix.count + suffix.count, name.starts(with: prefix) else { return false }
        return name.suffix(suffix.count).elementsEqual(suffix)
    }
}
