import Domain
import Redaction

extension FuzzTarget {
    /// Redaction of any text with any secrets in any of the spellings in which they travel: no secret stays, and what
    /// was redacted stays as it is.
    static let redaction = FuzzTarget("redaction", bytesMax: 1 << 18) {
        let text =
            "PASSWORD=hunter2hunter2\n\"apiKey\": \"abc123def456\" --token x1y2z3x1y2z3 Authorization: Basic dTpw\n"
        let more = "https://user:pa55w0rd@host/ Bearer 0123456789abcdef01234 -----BEGIN PRIVATE KEY-----\nAA==\n"
        return [
            [1, 8] + Array("s3cr3t!!".utf8) + [2, 0] + Array(text.utf8),
            [2, 9] + Array("se cr/et+".utf8) + [8] + Array("ünï-çø".utf8) + [4, 1, 0, 3, 0, 2, 1] + Array(more.utf8),
            [0, 0] + Array((text + more).utf8), [0, 0] + Array("token: a1\u{fffd}".utf8) + [0xFF, 0xFE],
            [0, 0] + Array(String(repeating: "token=$a,", count: 500).utf8),
        ]
    } prepare: {
        { bytes in
            var input = FuzzInput(bytes)
            let secrets = (0..<Int(input.byte() % 4)).map { _ in input.piece(atMost: 64) }
            var text: [UInt8] = []
            for _ in 0..<Int(input.byte() % 8) {
                if secrets.isEmpty { break }
                text += spelling(input.pick(secrets), input.byte())
                text += input.piece(atMost: 16)
            }
            text += input.rest()
            try check(Redactor(secrets: secrets), secrets, text)
        }
    }

    /// `.env` files: every value that is found in one is taken out of its text.
    static let environment = FuzzTarget("environment", bytesMax: 1 << 16) {
        [
            "export A=\"multi\nline\" # c\nB='x y'\nC: plain#no # yes\nD=`t`\n\u{feff}E=\\n\r\nF=\"a\\\"b\\n\"\n=\nG\n",
            "A=\"unterminated\nB='also\n",
        ].map { Array($0.utf8) }
    } prepare: {
        { bytes in
            let values = EnvironmentFile.values(bytes)
            try promise(!values.contains { $0.isEmpty }, "an empty value was found")
            try promise(values.reduce(0) { $0 + $1.count } <= 4 * bytes.count, "values grow out of their file")
            try check(Redactor(secrets: values), values, bytes)
        }
    }

    private static func check(_ redactor: Redactor, _ secrets: [[UInt8]], _ text: [UInt8]) throws {
        let spans = redactor.secretSpans(in: text)
        for (left, right) in zip(spans, spans.dropFirst()) {
            try promise(left.upperBound < right.lowerBound, "spans touch or are out of order")
        }
        try promise(spans.allSatisfy { !$0.isEmpty && $0.upperBound <= text.count }, "a span leaves the text")
        let redacted = redactor.redact(bytes: text)
        try promise(redactor.redact(redacted.text) == redacted, "what was redacted is redacted again")
        let result = Array(redacted.text.utf8)
        // Some of many, so that the question does not take longer than the answer.
        for secret in Set(secrets.prefix(16).map(trimmed)) where secret.count >= Redactor.Limits.secretBytesMin {
            // Nobody takes asterisks for a secret, and harmless words are none.
            if secret.allSatisfy({ $0 == UInt8(ascii: "*") }) || isHarmless(secret) { continue }
            try promise(!contains(result, secret), "a secret stays: \(Printable.text(secret))")
        }
    }

    private static func isHarmless(_ secret: [UInt8]) -> Bool {
        Redactor(secrets: [secret]).secretSpans(in: secret).isEmpty
    }

    private static func spelling(_ secret: [UInt8], _ kind: UInt8) -> [UInt8] {
        switch kind % 5 {
        case 0: secret
        case 1: Array(Base64.encode(secret).utf8)
        case 2: Array(Hex.encode(secret).utf8)
        case 3: secret.flatMap { Array("%\(Hex.encode([$0]))".utf8) }
        default: JSONValue.string(String(decoding: secret, as: UTF8.self)).bytes()
        }
    }

    private static func trimmed(_ value: [UInt8]) -> [UInt8] {
        let isSpace = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
        guard let first = value.firstIndex(where: { !isSpace($0) }), let last = value.lastIndex(where: { !isSpace($0) })
        else { return [] }
        return Array(value[first...last])
    }

    private static func contains(_ text: [UInt8], _ part: [UInt8]) -> Bool {
        guard let first = part.first, text.count >= part.count else { return false }
        return (0...text.count - part.count).contains { text[$0] == first && text[$0...].starts(with: part) }
    }
}
