import Domain

/// Reads of TOML 1.0 what settings are mostly written in: tables, and keys with texts, numbers, flags and lists of
/// these on one line. Everything else is left out, with all that could belong to it.
struct TOMLReader {
    private static let bytesMax = 1 << 20
    private static let depthMax = 8

    private var tree = SettingsTree()
    /// Nil inside of what is left out.
    private var table: [String]? = []
    /// What ends a text over several lines that is being left out.
    private var closing: String?

    static func read(_ bytes: [UInt8]) -> JSONValue? {
        guard bytes.count <= bytesMax, let text = String(validating: bytes, as: UTF8.self) else { return nil }
        var reader = TOMLReader()
        for line in text.split(whereSeparator: \.isNewline) { reader.take(line) }
        return .object(reader.tree.members)
    }

    private mutating func take(_ whole: Substring) {
        if let end = closing {
            if whole.contains(end) { closing = nil }
            return
        }
        var line = Scanner(whole)
        line.skipSpace()
        if line.take("[") {
            let isList = line.take("[")
            let key = line.key()
            table = isList || !line.take("]") || !line.isAtEnd ? nil : key
            return
        }
        guard let key = line.key(), line.take("=") else { return }
        line.skipSpace()
        // A text over several lines is left out to its end, so that no line of it passes for a key.
        for quotes in ["\"\"\"", "'''"] where line.rest.hasPrefix(quotes) {
            if !line.rest.dropFirst(3).contains(quotes) { closing = quotes }
            return
        }
        guard let table, table.count + key.count <= Self.depthMax, let value = line.value(), line.isAtEnd else {
            return
        }
        tree.set((table + key)[...], value)
    }

    /// One line of it.
    private struct Scanner {
        private(set) var rest: Substring

        init(_ line: Substring) { rest = line }

        var isAtEnd: Bool {
            let left = rest.drop { $0 == " " || $0 == "\t" }
            return left.isEmpty || left.hasPrefix("#")
        }

        mutating func skipSpace() { rest = rest.drop { $0 == " " || $0 == "\t" } }

        mutating func take(_ character: Character) -> Bool {
            skipSpace()
            guard rest.first == character else { return false }
            rest.removeFirst()
            return true
        }

        /// `a."b.c".d`
        mutating func key() -> [String]? {
            var parts: [String] = []
            repeat {
                skipSpace()
                if let text = text() {
                    parts.append(text)
                } else {
                    let bare = rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }
                    guard !bare.isEmpty else { return nil }
                    rest = rest.dropFirst(bare.count)
                    parts.append(String(bare))
                }
            } while take(".")
            return parts
        }

        mutating func value() -> JSONValue? {
            skipSpace()
            if take("[") { return list() }
            if let text = text() { return .string(text) }
            let word = String(rest.prefix { $0.isASCII && ($0.isLetter || $0.isNumber || "+-_.".contains($0)) })
            rest = rest.dropFirst(word.count)
            if word == "true" || word == "false" { return .bool(word == "true") }
            guard word.first.map({ $0.isNumber || $0 == "-" || $0 == "+" }) == true else { return nil }
            let digits = word.replacing("_", with: "")
            if let integer = Int64(digits) { return .integer(integer) }
            guard digits.contains("."), let number = Double(digits), number.isFinite else { return nil }
            return .number(number)
        }

        private mutating func list() -> JSONValue? {
            var elements: [JSONValue] = []
            while !take("]") {
                guard let value = value() else { return nil }
                elements.append(value)
                if !take(",") {
                    guard take("]") else { return nil }
                    break
                }
            }
            return .array(elements)
        }

        /// A text in quotes; nil where none begins here, or it does not end here.
        private mutating func text() -> String? {
            guard let quote = rest.first, quote == "\"" || quote == "'" else { return nil }
            var text = ""
            var characters = rest.dropFirst()
            while let character = characters.popFirst() {
                if character == quote {
                    rest = characters
                    return text
                }
                guard character == "\\", quote == "\"" else {
                    text.append(character)
                    continue
                }
                guard let escaped = Self.unescaped(&characters) else { return nil }
                text.append(escaped)
            }
            return nil
        }

        private static func unescaped(_ characters: inout Substring) -> Character? {
            guard let kind = characters.popFirst() else { return nil }
            let plain: [Character: Character] = [
                "\"": "\"", "\\": "\\", "n": "\n", "t": "\t", "r": "\r", "b": "\u{8}", "f": "\u{C}",
            ]
            if let character = plain[kind] { return character }
            guard kind == "u" || kind == "U" else { return nil }
            let digits = characters.prefix(kind == "u" ? 4 : 8)
            characters = characters.dropFirst(digits.count)
            guard digits.allSatisfy(\.isHexDigit), digits.count == (kind == "u" ? 4 : 8) else { return nil }
            return UInt32(digits, radix: 16).flatMap(Unicode.Scalar.init).map(Character.init)
        }
    }
}
