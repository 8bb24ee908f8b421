import Domain
import Testing

@testable import Redaction

@Suite("exact secret values")
struct ExactValueTests {
    private static func percent(_ text: String) -> String {
        text.utf8.map { byte in
            Samples.alphanumeric.utf8.contains(byte)
                ? String(Unicode.Scalar(byte)) : "%" + Hex.encode([byte]).uppercased()
        }.joined()
    }

    @Test("are gone in every spelling", arguments: 0..<20)
    func spellings(seed: UInt64) {
        var samples = Samples(seed: seed)
        let secret = samples.text(12) + "/+ \"ü" + samples.text(9)
        let redactor = Redactor(secrets: [secret])
        let bytes = Array(secret.utf8)
        var json: [UInt8] = []
        JSONText.write(bytes, to: &json)
        let forms = [
            secret, Hex.encode(bytes), Hex.encode(bytes).uppercased(), Base64.encode(bytes), Self.percent(secret),
            Self.percent(secret).lowercased() == Self.percent(secret) ? secret : Self.percent(secret),
            String(decoding: json, as: UTF8.self),
        ]
        for form in forms {
            let result = redactor.redact("before \(form) after").text
            #expect(!result.contains(form) && result.contains(Redacted.placeholder) && result.hasPrefix("before "))
        }
    }

    @Test("are gone inside a longer base 64 text, wherever they start in it", arguments: 0..<6)
    func innerBase64(lead: Int) {
        var samples = Samples(seed: 99)
        let secret = samples.text(20)
        let encoded = Base64.encode(Array((String(repeating: "u", count: lead) + ":" + secret + ":tail").utf8))
        let result = Redactor(secrets: [secret]).redact(encoded).text
        #expect(result.contains(Redacted.placeholder))
        // What is left of the text must not decode to eight bytes of the secret in a row.
        for part in result.split(separator: "*") { #expect(part.utf8.count < (lead + 14) * 4 / 3 + 8) }
    }

    @Test("that overlap are covered whole")
    func overlapping() {
        var samples = Samples(seed: 5)
        let a = samples.text(10), b = samples.text(10), c = samples.text(10)
        let redactor = Redactor(secrets: [a + b, b + c, b])
        #expect(redactor.redact("x \(a)\(b)\(c) y").text == "x ******** y")
        #expect(redactor.redact("x \(b) y").text == "x ******** y")
        #expect(redactor.redact("\(a)\(b)\(a)\(b)").text == "********")
    }

    @Test("one inside another: the longest is covered, the short one alone too")
    func nested() {
        var samples = Samples(seed: 6)
        let short = samples.text(9)
        let long = samples.text(9) + short + samples.text(9)
        let redactor = Redactor(secrets: [short, long])
        #expect(redactor.redact("\(long) \(short)").text == "******** ********")
    }

    @Test("shorter than eight bytes, empty or harmless words are left alone")
    func short() {
        let redactor = Redactor(secrets: ["", "a", "1234567", "localhost", "production", "  \n"])
        let text = "a 1234567 on localhost in production"
        #expect(redactor.redact(text).text == text)
    }

    @Test("of several lines are gone line by line too")
    func lines() {
        var samples = Samples(seed: 8)
        let lines = (0..<3).map { _ in samples.text(64) }
        let redactor = Redactor(secrets: [lines.joined(separator: "\n") + "\n"])
        for line in lines { #expect(redactor.redact("> \(line)").text == "> ********") }
    }

    @Test("never survive in random text, and a second pass changes nothing", arguments: 0..<40)
    func properties(seed: UInt64) {
        var samples = Samples(seed: seed)
        // A small alphabet makes prefixes, suffixes and repeats of secrets meet each other.
        let secrets = (0..<6).map { _ in samples.text(8 + Int(samples.next() % 6), of: "ab*") }
        let redactor = Redactor(secrets: secrets)
        var text = ""
        for _ in 0..<80 {
            switch samples.next() % 3 {
            case 0: text += secrets[Int(samples.next() % 6)]
            case 1: text += samples.text(3, of: "ab*=: ")
            default: text += String(secrets[Int(samples.next() % 6)].prefix(5))
            }
        }
        let once = redactor.redact(text)
        for secret in secrets where secret != Redacted.placeholder { #expect(!once.text.contains(secret)) }
        #expect(redactor.redact(once.text) == once)
    }

    @Test("do not print")
    func printing() {
        var samples = Samples(seed: 3)
        let secret = samples.text(20)
        let redactor = Redactor(secrets: [secret])
        var text = "\(redactor) \(String(reflecting: redactor))"
        dump(redactor, to: &text)
        #expect(!text.contains(secret) && text.utf8.count < 100)
    }

    @Test("time grows with the text, not with what the secrets have in common")
    func linear() {
        let secrets = (8..<200).map { String(repeating: "a", count: $0) + "b" }
        let redactor = Redactor(secrets: secrets)
        let hostile = [
            String(repeating: "a", count: 1 << 19), String(repeating: "eyJ-", count: 1 << 17),
            String(repeating: "token=", count: 1 << 16),
            String(repeating: "://:", count: 1 << 17), String(repeating: "-----BEGIN ", count: 1 << 15),
            String(repeating: "sk-", count: 1 << 17),
            String(repeating: "--token ", count: 1 << 16), String(repeating: "password:\"", count: 1 << 15),
            String(repeating: "Authorization:", count: 1 << 15), String(repeating: "Bearer ", count: 1 << 16),
        ]
        let start = ContinuousClock.now
        for text in hostile { _ = redactor.redact(text) }
        // Debug builds on a busy machine take a few seconds; quadratic time would take hours.
        #expect(ContinuousClock.now - start < .seconds(90))
    }
}
