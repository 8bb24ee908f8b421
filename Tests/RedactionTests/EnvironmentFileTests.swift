import Testing

@testable import Redaction

@Suite("reading .env files")
struct EnvironmentFileTests {
    private func values(_ text: String) -> [String] {
        EnvironmentFile.values(Array(text.utf8)).map { String(decoding: $0, as: UTF8.self) }
    }

    @Test(
        "finds every value that some reader of such files would",
        arguments: [
            ("A=b", ["b"]), ("export A=b\n", ["b"]), ("  A = b c  \n", ["b c"]), ("A=\nB=c", ["c"]), ("# A=b\n\n;", []),
            ("A=\"b c\"", ["b c"]),
            ("A='b # c' # d", ["b # c"]), ("A=b # c", ["b # c", "b"]), ("A=b#c", ["b#c", "b"]),
            ("A=\"b\\nc\"", ["b\\nc", "b\nc"]),
            ("A=\"b\nc\nd\"\nE=f", ["b\nc\nd", "f"]), ("A='b\nc'\r\nE=f\r\n", ["b\nc", "f"]),
            ("A=\"b\\\"c\" x\nE=f", ["b\\\"c", "b\"c", "f"]),
            ("A=\"b\nE=f", ["b", "f"]), ("A: b", ["b"]), ("\u{FEFF}A=b", ["b"]), ("A=`b\nc`", ["b\nc"]),
            ("A=b=c==", ["b=c=="]), ("no separator", []),
            ("A=\"\"", []), ("A=\"b\\", ["b\\"]), ("", []), ("=", []), ("=x", ["x"]),
        ]
    )
    func cases(text: String, expected: [String]) { #expect(values(text) == expected) }

    @Test("keeps names and bytes that are no text")
    func entries() {
        let entries = EnvironmentFile.entries(Array("export NAME=".utf8) + [0xFF, 0x00, 0x80] + Array("\nB='c'".utf8))
        #expect(
            entries == [
                EnvironmentFile.Entry(name: Array("NAME".utf8), value: [0xFF, 0x00, 0x80]),
                EnvironmentFile.Entry(name: Array("B".utf8), value: Array("c".utf8)),
            ]
        )
    }

    @Test("hands a redactor what it needs")
    func redaction() {
        var samples = Samples(seed: 4)
        let secret = samples.text(24)
        let redactor = Redactor(
            secrets: EnvironmentFile.values(Array("KEY=\"\(secret)\" # mine\nMODE=development\n".utf8))
        )
        #expect(redactor.redact("got \(secret) in development").text == "got ******** in development")
    }

    @Test("takes any bytes in linear time", arguments: ["\"", "A=\"\n", "\\", "A='", "=\"\\\"", "A=#", "\n"])
    func hostile(piece: String) {
        let bytes = Array(String(repeating: piece, count: 60_000).utf8)
        let start = ContinuousClock.now
        _ = EnvironmentFile.values(bytes)
        #expect(ContinuousClock.now - start < .seconds(20))
    }
}
