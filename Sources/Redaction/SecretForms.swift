import Domain

/// The spellings in which one secret value travels: as it is, and as common encoders write it.
enum SecretForms {
    /// Values that configuration files are full of and that hide nothing.
    private static let harmless: Set<[UInt8]> = Set(
        [
            "127.0.0.1", "development", "disabled", "info@example.com", "localhost", "postgres", "postgresql",
            "production",
            "undefined",
        ].map { (word: String) in Array(word.utf8) }
    )

    /// A line of a longer value is a secret of its own from this length on: base 64 of key files is cut into such
    /// lines.
    private static let lineBytesMin = 32

    static func needles(of secrets: [[UInt8]]) -> [[UInt8]] {
        var needles: Set<[UInt8]> = []
        var total = 0
        for secret in secrets {
            let value = trimmed(secret)
            for part in [value] + longLines(of: value) where !harmless.contains(part) {
                // Beyond the limit only the values themselves are kept: they are in memory anyway.
                let spellings = total < Redactor.Limits.needleBytesMax ? forms(of: part) : [part]
                for form in spellings where form.count >= Redactor.Limits.secretBytesMin {
                    if needles.insert(form).inserted { total += form.count }
                }
            }
        }
        return Array(needles)
    }

    private static func trimmed(_ value: [UInt8]) -> [UInt8] {
        let isSpace = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
        guard let first = value.firstIndex(where: { !isSpace($0) }), let last = value.lastIndex(where: { !isSpace($0) })
        else { return [] }
        return Array(value[first...last])
    }

    private static func longLines(of value: [UInt8]) -> [[UInt8]] {
        guard value.contains(0x0A) else { return [] }
        return value.split(separator: 0x0A).map { trimmed(Array($0)) }.filter { line in
            line.count >= lineBytesMin && !line.contains(0x20)
        }
    }

    private static func forms(of value: [UInt8]) -> [[UInt8]] {
        guard value.count >= Redactor.Limits.secretBytesMin else { return [] }
        let hex = Array(Hex.encode(value).utf8)
        return [value, hex, upper(hex), escaped(value)] + percentForms(of: value) + base64Forms(of: value)
    }

    private static func upper(_ text: [UInt8]) -> [UInt8] {
        text.map { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) ? $0 - 32 : $0 }
    }

    /// As it stands inside a JSON string.
    private static func escaped(_ value: [UInt8]) -> [UInt8] {
        guard String(validating: value, as: UTF8.self) != nil else { return value }
        var text: [UInt8] = []
        JSONText.write(value, to: &text)
        return Array(text.dropFirst().dropLast())
    }

    private static let unreserved = Set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~".utf8)
    /// What JavaScript's encodeURIComponent and form encoders leave as it is, beyond RFC 3986.
    private static let lenient = unreserved.union("!*'()".utf8)
    private static let slash = unreserved.union("/".utf8)

    /// Percent-encoded as for a URL component, with either case of the digits and with `+` for a space.
    private static func percentForms(of value: [UInt8]) -> [[UInt8]] {
        // Most values have nothing to encode, and a thousand of them are encoded at the start of a run.
        if value.allSatisfy(unreserved.contains) { return [value] }
        var forms: [[UInt8]] = []
        for plain in [unreserved, lenient, slash] {
            for isUpper in [true, false] {
                for hasPlus in [true, false] {
                    forms.append(percent(value, plain: plain, isUpper: isUpper, hasPlus: hasPlus))
                }
            }
        }
        return forms
    }

    private static func percent(_ value: [UInt8], plain: Set<UInt8>, isUpper: Bool, hasPlus: Bool) -> [UInt8] {
        value.flatMap { byte -> [UInt8] in
            if plain.contains(byte) { return [byte] }
            if byte == 0x20, hasPlus { return [UInt8(ascii: "+")] }
            let digits = Array(Hex.encode([byte]).utf8)
            return [UInt8(ascii: "%")] + (isUpper ? upper(digits) : digits)
        }
    }

    /// The part of a base 64 text that depends on the value alone, for each of the three places where the value can
    /// start in a longer text (`user:password` of an HTTP header), in both alphabets.
    private static func base64Forms(of value: [UInt8]) -> [[UInt8]] {
        (0..<3).flatMap { lead -> [[UInt8]] in
            let text = Array(Base64.encode([UInt8](repeating: 0, count: lead) + value).utf8)
            let start = lead == 0 ? 0 : lead + 1
            let end = (lead + value.count) * 8 / 6
            guard start < end else { return [] }
            let core = Array(text[start..<end])
            let urlSafe = core.map { byte -> UInt8 in
                switch byte {
                case UInt8(ascii: "+"): UInt8(ascii: "-")
                case UInt8(ascii: "/"): UInt8(ascii: "_")
                default: byte
                }
            }
            return [core, urlSafe]
        }
    }
}
