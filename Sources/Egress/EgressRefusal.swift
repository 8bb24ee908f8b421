package import Domain

/// Why a destination may not be reached, or why it is none: the rule, a sentence, and what would allow it.
package struct EgressRefusal: Error, Sendable, Equatable {
    package let rule: RuleID
    /// A sentence without its full stop, lower case, that names the input.
    package let reason: String
    /// What would allow it, as a sentence; nil where nothing does.
    package let remedy: String?

    package init(_ rule: RuleID, _ reason: String, remedy: String? = nil) {
        self.rule = rule
        self.reason = reason
        self.remedy = remedy
    }

    /// Foreign bytes for a message: printable, and not longer than a line.
    package static func quoted(_ bytes: some Collection<UInt8>) -> String {
        let isCut = bytes.count > quotedBytesMax
        return "\"" + Printable.text(bytes.prefix(quotedBytesMax)) + (isCut ? "…\"" : "\"")
    }

    private static let quotedBytesMax = 80
}
