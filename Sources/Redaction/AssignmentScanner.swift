/// Finds values by the name in front of them: `PASSWORD=x`, `"apiKey": "x"`, `--token x`, `Authorization: Basic x`.
///
/// It stops at each `=`, `:` and space and looks back at the name, which is bounded; a value that is looked at further
/// than a bounded stretch becomes a match and is skipped, so the whole takes linear time.
struct AssignmentScanner {
    private enum Limits {
        /// White space around a separator.
        static let spaceBytesMax = 16
        /// Unquoted values behind a colon or spaces are judged by this many bytes.
        static let sampleBytesMax = 128
    }

    private let bytes: [UInt8]
    /// Where the unquoted word of each kind ends that was looked at last: values within it need not look for its end
    /// again.
    private var wordEnds = [Int](repeating: 0, count: Word.allCases.count)

    /// By what an unquoted value ends beside a blank or a quote.
    private enum Word: Int, CaseIterable {
        case plain, query, list

        func ends(at byte: UInt8) -> Bool {
            switch self {
            case .plain: false
            case .query: byte == UInt8(ascii: "&") || byte == UInt8(ascii: "#")
            case .list: byte == UInt8(ascii: ";")
            }
        }
    }

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    static func matches(in bytes: [UInt8]) -> [Range<Int>] {
        var scanner = AssignmentScanner(bytes)
        var found: [Range<Int>] = []
        var position = 0
        while position < bytes.count {
            if let value = scanner.value(after: position), !value.isEmpty {
                found.append(value)
                position = value.upperBound
            } else {
                position += 1
            }
        }
        return found
    }

    private mutating func value(after position: Int) -> Range<Int>? {
        switch bytes[position] {
        case UInt8(ascii: "="), UInt8(ascii: ":"):
            guard let name = name(before: position) else { return nil }
            if isAuthorization(name) { return headerValue(from: position + 1) }
            return SecretNames.isSecret(bytes[name]) ? assigned(at: position, name: name) : nil
        case UInt8(ascii: " "): return optionValue(after: position)
        default: return nil
        }
    }

    /// The name that ends before a separator; quotes, backslashes and blanks may stand between.
    private func name(before separator: Int) -> Range<Int>? {
        var end = separator
        while end > 0, separator - end < Limits.spaceBytesMax, isFrame(bytes[end - 1]) { end -= 1 }
        var start = end
        while start > 0, end - start < SecretNames.nameBytesMax, isNameByte(bytes[start - 1]) { start -= 1 }
        return start < end ? start..<end : nil
    }

    private func isFrame(_ byte: UInt8) -> Bool { byte == 0x20 || isQuote(byte) || byte == UInt8(ascii: "\\") }
    private func isQuote(_ byte: UInt8) -> Bool { byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") }
    private func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || (0x09...0x0D).contains(byte) }

    private func isNameByte(_ byte: UInt8) -> Bool {
        Alphabet.urlSafe.contains(byte) || byte == UInt8(ascii: ".")
    }

    private func skipBlanks(from start: Int) -> Int {
        var position = start
        while position < bytes.count, position - start < Limits.spaceBytesMax, bytes[position] == 0x20 { position += 1 }
        return position
    }

    private mutating func assigned(at separator: Int, name: Range<Int>) -> Range<Int>? {
        let start = skipBlanks(from: separator + 1)
        guard start < bytes.count else { return nil }
        if let quoted = quoted(from: start) {
            return SecretNames.isReference(bytes[quoted]) ? nil : quoted
        }
        let isTight = bytes[separator] == UInt8(ascii: "=") && start == separator + 1 && name.upperBound == separator
        if isTight { return tight(from: start, name: name) }
        // Between other colons stands a part of a name, as in `arn:…:secret:prod/db`.
        let isPartOfName = name.lowerBound > 0 && bytes[name.lowerBound - 1] == UInt8(ascii: ":")
        return isPartOfName ? nil : loose(from: start)
    }

    /// The content of a string in quotes, which may themselves be escaped: to the same closing quote or the line's end.
    private func quoted(from start: Int) -> Range<Int>? {
        var opening = start
        while opening < bytes.count, opening - start < 3, bytes[opening] == UInt8(ascii: "\\") { opening += 1 }
        guard opening < bytes.count, isQuote(bytes[opening]) else { return nil }
        let escapes = opening - start
        var end = opening + 1
        while end < bytes.count, bytes[end] != 0x0A {
            if bytes[end] == UInt8(ascii: "\\"), escapes == 0 {
                end = min(end + 2, bytes.count)
                continue
            }
            if bytes[end] == bytes[opening] { break }
            end += 1
        }
        return opening + 1..<max(opening + 1, end - (end < bytes.count && bytes[end] != 0x0A ? escapes : 0))
    }

    /// `NAME=value` as shells, environments and queries write it: anything up to the next blank belongs to the value.
    private mutating func tight(from start: Int, name: Range<Int>) -> Range<Int>? {
        let before = name.lowerBound > 0 ? bytes[name.lowerBound - 1] : 0
        let isQuery = before == UInt8(ascii: "?") || before == UInt8(ascii: "&")
        let end = end(of: isQuery ? .query : before == UInt8(ascii: ";") ? .list : .plain, from: start)
        // What code and prose put behind a value takes no part in the judgement.
        let value = bytes[start..<end]
        let core =
            value.last.map { ",;):]}".utf8.contains($0) } == true ? value.prefix { !",;)]}".utf8.contains($0) } : value
        return SecretNames.isReference(core) || SecretNames.isExpression(core) ? nil : start..<end
    }

    private mutating func end(of word: Word, from start: Int) -> Int {
        let known = wordEnds[word.rawValue]
        guard start >= known else { return known }
        var end = start
        while end < bytes.count, !isSpace(bytes[end]), !isQuote(bytes[end]), !word.ends(at: bytes[end]) { end += 1 }
        wordEnds[word.rawValue] = end
        return end
    }

    /// `name: value` and `name = value` are also how prose, code and types look: the value must look like a secret.
    private func loose(from start: Int) -> Range<Int>? {
        var end = start
        var hasDigit = false
        var hasLetter = false
        while end < bytes.count, !isSpace(bytes[end]), !isQuote(bytes[end]), bytes[end] != UInt8(ascii: ",") {
            if end - start < Limits.sampleBytesMax {
                hasDigit = hasDigit || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[end])
                hasLetter = hasLetter || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(SecretNames.lower(bytes[end]))
                if bytes[end] == UInt8(ascii: "(") { return nil }
            } else if !(hasDigit && hasLetter) {
                return nil
            }
            end += 1
        }
        let isLong = end - start >= 8
        return isLong && hasDigit && hasLetter && !SecretNames.isReference(bytes[start..<end]) ? start..<end : nil
    }

    /// `--password value` in a command line.
    private func optionValue(after space: Int) -> Range<Int>? {
        var start = space
        while start > 0, space - start < SecretNames.nameBytesMax, Alphabet.urlSafe.contains(bytes[start - 1]) {
            start -= 1
        }
        guard space - start > 2, bytes[start] == UInt8(ascii: "-"), bytes[start + 1] == UInt8(ascii: "-"),
            start == 0 || isSpace(bytes[start - 1]), SecretNames.isSecret(bytes[start..<space])
        else { return nil }
        let first = skipBlanks(from: space + 1)
        guard first < bytes.count, bytes[first] != UInt8(ascii: "-") else { return nil }
        if let quoted = quoted(from: first) { return SecretNames.isReference(bytes[quoted]) ? nil : quoted }
        var end = first
        while end < bytes.count, !isSpace(bytes[end]), !isQuote(bytes[end]) { end += 1 }
        return SecretNames.isReference(bytes[first..<end]) ? nil : first..<end
    }

    private func isAuthorization(_ name: Range<Int>) -> Bool {
        let ending = Array("authorization".utf8)
        return name.count >= ending.count
            && bytes[name].suffix(ending.count).map(SecretNames.lower).elementsEqual(ending)
    }

    /// Schemes that are followed by one token.
    private static let schemes: [[UInt8]] = ["bearer", "basic", "token", "bot", "apikey", "negotiate"].map {
        (word: String) in
        Array(word.utf8)
    }

    /// A header's credential: the token after a known scheme, else all up to the quote or the line's end.
    private func headerValue(from separator: Int) -> Range<Int>? {
        var start = skipBlanks(from: separator)
        while start < bytes.count, bytes[start] == UInt8(ascii: "\\") || isQuote(bytes[start]) { start += 1 }
        let wordEnd = bytes[start...].prefix(16).firstIndex(of: 0x20) ?? start
        let isKnown = Self.schemes.contains(bytes[start..<wordEnd].map(SecretNames.lower))
        if isKnown { start = skipBlanks(from: wordEnd) }
        var end = start
        while end < bytes.count, bytes[end] != 0x0A, bytes[end] != 0x0D, !isQuote(bytes[end]) {
            if isKnown, isSpace(bytes[end]) { break }
            end += 1
        }
        if end > start, bytes[end - 1] == UInt8(ascii: "\\") { end -= 1 }
        let value = bytes[start..<end]
        return value.count < 8 || SecretNames.isReference(value) || SecretNames.isExpression(value) ? nil : start..<end
    }
}
