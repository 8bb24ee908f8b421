import Domain

/// The beginning of a path that a rule names. A path is matched as written; what servers decode in different ways is
/// refused and not cleaned.
package struct PathPrefix: Hashable, Sendable, CustomStringConvertible {
    package let text: String

    /// Reads a path that begins with a slash.
    package init(_ text: String) throws(EgressRefusal) {
        try Self.check(text)
        self.text = text
    }

    /// True if a path is the prefix or lies below it. `/v1` covers `/v1` and `/v1/a`, and not `/v10`.
    func covers(_ path: String) -> Bool {
        guard path.hasPrefix(text) else { return false }
        return text.hasSuffix("/") || path.utf8.count == text.utf8.count || path.hasPrefix(text + "/")
    }

    /// Refuses dot segments, empty segments, path parameters, backslashes, and escapes of slash, dot, percent or
    /// control characters.
    package static func check(_ path: String) throws(EgressRefusal) {
        let bytes = Array(path.utf8)
        guard bytes.first == UInt8(ascii: "/") else { throw refuse(path, "it begins with no slash") }
        guard bytes.allSatisfy({ (0x21...0x7E).contains($0) }), !bytes.contains(where: { forbidden.contains($0) })
        else {
            throw refuse(path, "it holds a backslash, a semicolon, `?`, `#`, or what is not printable ASCII")
        }
        let segments = bytes.dropFirst().split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        for (index, segment) in segments.enumerated() {
            guard !segment.isEmpty || index == segments.count - 1 else { throw refuse(path, "it has an empty segment") }
            guard ![".", ".."].contains(where: { segment.elementsEqual($0.utf8) }) else {
                throw refuse(path, "it has a dot segment")
            }
        }
        for index in bytes.indices where bytes[index] == UInt8(ascii: "%") {
            guard index + 2 < bytes.count, let high = ASCII.hex(bytes[index + 1]), let low = ASCII.hex(bytes[index + 2])
            else { throw refuse(path, "a `%` begins no escape") }
            let byte = high << 4 | low
            guard byte > 0x20, byte != 0x7F, !Array("/.%\\;".utf8).contains(byte) else {
                throw refuse(path, "it escapes a slash, dot, percent sign, backslash, semicolon or control character")
            }
        }
    }

    private static let forbidden = Set("\\;?#".utf8)

    private static func refuse(_ path: String, _ problem: String) -> EgressRefusal {
        EgressRefusal(
            RuleID("path-syntax"),
            "the path \(EgressRefusal.quoted(path.utf8)) cannot be judged: \(problem)",
            remedy: "Write the path without it; a rule for the whole host does not look at paths."
        )
    }

    package var description: String { text }
}
