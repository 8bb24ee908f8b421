/// Finds keys by what they look like: prefixed tokens, web tokens, private key blocks, passwords in URLs, HTTP
/// credentials. One pass; every scan from a position is bounded or ends in a match that is skipped.
struct ShapeScanner {
    /// Named limits of the scanner.
    private enum Limits {
        /// `-----BEGIN … PRIVATE KEY-----`: the longest label in use has 30 bytes.
        static let pemLabelBytesMax = 64
        /// User and password before a host; databases and proxies allow some hundred bytes.
        static let userInfoBytesMax = 1024
        /// `38;2;255;255;255`: the longest colour of a terminal.
        static let colourBytesMax = 20
        /// Digits are looked for in this many bytes of a bearer token.
        static let tokenSampleBytes = 64
    }

    private let bytes: [UInt8]
    private var found: [Range<Int>] = []
    /// The end of a run that turned out to be no web token: other starts within it need not be tried.
    private var plainRunEnd = 0

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    static func matches(in bytes: [UInt8]) -> [Range<Int>] {
        var scanner = ShapeScanner(bytes)
        scanner.scan()
        return scanner.found
    }

    private mutating func scan() {
        var position = 0
        while position < bytes.count {
            let end = match(at: position)
            if let end, end.upperBound > position {
                found.append(end)
                position = end.upperBound
            } else {
                position += 1
            }
        }
    }

    private mutating func match(at position: Int) -> Range<Int>? {
        switch bytes[position] {
        case UInt8(ascii: "-"): if let block = privateKey(at: position) { return block }
        case UInt8(ascii: ":"): if let password = urlPassword(at: position) { return password }
        case UInt8(ascii: "e"): if let token = webToken(at: position) { return token }
        case UInt8(ascii: "B"), UInt8(ascii: "b"): if let token = bearer(at: position) { return token }
        default: break
        }
        return prefixedKey(at: position)
    }

    private func starts(_ text: StaticString, at position: Int) -> Bool {
        text.withUTF8Buffer { wanted in
            guard bytes.count - position >= wanted.count else { return false }
            return (0..<wanted.count).allSatisfy { bytes[position + $0] == wanted[$0] }
        }
    }

    private func isWordStart(_ position: Int) -> Bool {
        position == 0 || !Alphabet.alphanumeric.contains(bytes[position - 1]) || isEscapeLetter(position - 1)
    }

    /// In `\nghp_…` of an escaped string, the `n` belongs to the backslash, not to a word; in `[0mghp_…` of a coloured
    /// terminal's output, the `m` to the colour.
    private func isEscapeLetter(_ position: Int) -> Bool {
        guard position > 0 else { return false }
        if bytes[position - 1] == UInt8(ascii: "\\") { return "nrt".utf8.contains(bytes[position]) }
        guard bytes[position] == UInt8(ascii: "m") else { return false }
        var start = position
        while start > 0, position - start < Limits.colourBytesMax, "0123456789;".utf8.contains(bytes[start - 1]) {
            start -= 1
        }
        return start > 0 && start < position && bytes[start - 1] == UInt8(ascii: "[")
    }

    private func runEnd(_ alphabet: Alphabet, from start: Int, atMost lengthMax: Int = .max) -> Int {
        let limit = lengthMax < bytes.count - start ? start + lengthMax : bytes.count
        var end = start
        while end < limit, alphabet.contains(bytes[end]) { end += 1 }
        return end
    }

    private func prefixedKey(at position: Int) -> Range<Int>? {
        let shapes = KeyShape.byFirstByte[Int(bytes[position])]
        guard !shapes.isEmpty, isWordStart(position) else { return nil }
        var longest = 0
        for shape in shapes where bytes[position...].starts(with: shape.prefix) {
            let start = position + shape.prefix.count
            let probeEnd = runEnd(
                shape.alphabet,
                from: start,
                atMost: shape.lengthMax.map { $0 + 1 } ?? shape.lengthMin
            )
            let length = probeEnd - start
            if length < shape.lengthMin { continue }
            if let lengthMax = shape.lengthMax, length > lengthMax { continue }
            if isFiller(start..<start + shape.lengthMin) { continue }
            longest = max(longest, runEnd(shape.alphabet, from: start))
        }
        return longest > position ? position..<longest : nil
    }

    /// `sk-xxxxxxxx…` of a manual is no key.
    private func isFiller(_ range: Range<Int>) -> Bool {
        guard let first = bytes[range].first else { return true }
        return bytes[range].allSatisfy { $0 == first }
    }

    /// Three or more parts of base 64 with dots between, the first one starting like a JSON object.
    private mutating func webToken(at position: Int) -> Range<Int>? {
        guard position >= plainRunEnd, starts("eyJ", at: position), isWordStart(position) else { return nil }
        let header = runEnd(.urlSafe, from: position)
        plainRunEnd = header
        guard header - position >= 12, header < bytes.count, bytes[header] == UInt8(ascii: ".") else { return nil }
        let payload = runEnd(.urlSafe, from: header + 1)
        guard payload - header > 8 || starts("..", at: header) else { return nil }
        var end = payload
        while end < bytes.count, bytes[end] == UInt8(ascii: ".") {
            let next = runEnd(.urlSafe, from: end + 1)
            // A full stop at the end of a sentence is not part of the token.
            guard next > end + 1 || end == header else { break }
            end = next
        }
        return position..<end
    }

    /// A private key's block, to the end of the text if its end is missing.
    private func privateKey(at position: Int) -> Range<Int>? {
        guard starts("-----BEGIN ", at: position) else { return nil }
        guard let label = labelEnd(from: position + 11), contains("PRIVATE KEY", in: position + 11..<label) else {
            return nil
        }
        var end = label + 5
        while end < bytes.count {
            if bytes[end] == UInt8(ascii: "-"), starts("-----END ", at: end) {
                return position..<(labelEnd(from: end + 9).map { $0 + 5 } ?? bytes.count)
            }
            end += 1
        }
        return position..<bytes.count
    }

    private func labelEnd(from start: Int) -> Int? {
        var end = start
        while end < bytes.count, end - start <= Limits.pemLabelBytesMax {
            if bytes[end] == UInt8(ascii: "-") { return starts("-----", at: end) ? end : nil }
            end += 1
        }
        return nil
    }

    private func contains(_ text: StaticString, in range: Range<Int>) -> Bool {
        range.contains { starts(text, at: $0) && $0 + text.utf8CodeUnitCount <= range.upperBound }
    }

    /// The password of `scheme://user:password@host`.
    private func urlPassword(at position: Int) -> Range<Int>? {
        guard starts("://", at: position), position > 0, Alphabet.alphanumeric.contains(bytes[position - 1]) else {
            return nil
        }
        var colon: Int?
        var at: Int?
        var end = position + 3
        while end < bytes.count, end - position <= Limits.userInfoBytesMax {
            switch bytes[end] {
            case UInt8(ascii: ":"): colon = colon ?? end
            case UInt8(ascii: "@"): at = end
            case 0...0x20, UInt8(ascii: "/"), UInt8(ascii: "?"), UInt8(ascii: "#"), UInt8(ascii: "\""),
                UInt8(ascii: "'"),
                UInt8(ascii: "<"), UInt8(ascii: ">"), UInt8(ascii: "`"):
                return passwordSpan(colon, at)
            default: break
            }
            end += 1
        }
        return passwordSpan(colon, at)
    }

    private func passwordSpan(_ colon: Int?, _ at: Int?) -> Range<Int>? {
        guard let colon, let at, colon + 1 < at else { return nil }
        return SecretNames.isReference(bytes[colon + 1..<at]) ? nil : colon + 1..<at
    }

    /// `Bearer` and a token, wherever it stands.
    private func bearer(at position: Int) -> Range<Int>? {
        guard isWordStart(position), starts("earer ", at: position + 1) else { return nil }
        let start = position + 7
        let probe = runEnd(.token, from: start, atMost: Limits.tokenSampleBytes)
        guard probe - start >= 16 else { return nil }
        let hasDigit = bytes[start..<probe].contains { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        return hasDigit || probe - start >= 40 ? start..<runEnd(.token, from: start) : nil
    }
}
