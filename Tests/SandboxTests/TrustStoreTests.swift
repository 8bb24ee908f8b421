import Testing

@testable import Sandbox

@Suite("root certificates are read and written with care")
struct TrustStoreTests {
    /// A SEQUENCE of one byte, which is what a certificate looks like from outside, in base64 "MAMCAQU=".
    private static let five: [UInt8] = [0x30, 0x03, 0x02, 0x01, 0x05]

    private static func text(_ body: String, _ label: String = "CERTIFICATE") -> String {
        "-----BEGIN \(label)-----\n\(body)\n-----END \(label)-----\n"
    }

    struct Case: Sendable, CustomStringConvertible {
        let description: String
        let text: String
        let count: Int
    }

    static let cases = [
        Case(description: "one", text: text("MAMCAQU="), count: 1),
        Case(description: "two, with words between", text: text("MAMCAQU=") + "A root\n" + text("MAMCAQU="), count: 2),
        Case(description: "lines of a few letters", text: text("MA\nMC \r\nAQ\nU="), count: 1),
        Case(description: "lines that end in CR LF", text: text("MAMCAQU=").replacing("\n", with: "\r\n"), count: 1),
        Case(description: "none", text: "", count: 0),
        Case(description: "an end that is missing", text: "-----BEGIN CERTIFICATE-----\nMAMCAQU=\n", count: 0),
        Case(description: "another label", text: text("MAMCAQU=", "PUBLIC KEY"), count: 0),
        Case(description: "a label in the middle of a line", text: "x" + text("MAMCAQU="), count: 0),
        Case(description: "nothing in it", text: text(""), count: 0),
        Case(description: "bytes of another form", text: text("AAAA"), count: 0),
        Case(description: "a length beyond the end", text: text("MAQCAQU="), count: 0),
        Case(description: "a length before the end", text: text("MAICAQU="), count: 0),
        Case(description: "a letter of no base64", text: text("MAMC*QU="), count: 0),
        Case(description: "padding in the middle", text: text("MAM=AQU="), count: 0),
        Case(description: "too few letters", text: text("MAMCAQU"), count: 0),
        Case(description: "too much padding", text: text("MAMCA==="), count: 0),
        Case(
            description: "a bad one between good ones",
            text: text("MAMCAQU=") + text("AAAA") + text("MAMCAQU="),
            count: 2
        ),
    ]

    @Test(arguments: cases) func certificates(_ row: Case) {
        #expect(PEMCertificates.decode(row.text) == [[UInt8]](repeating: Self.five, count: row.count))
    }

    /// Each length of the outer form that certificates have.
    @Test func lengths() {
        for count in [1, 0x7F, 0x80, 0xFF, 0x100, 0x1234] {
            let length: [UInt8] =
                count < 0x80
                ? [UInt8(count)]
                : count < 0x100 ? [0x81, UInt8(count)] : [0x82, UInt8(count >> 8), UInt8(count & 0xFF)]
            let bytes = [0x30] + length + [UInt8](repeating: 7, count: count)
            let expected = bytes.count > 4 ? [bytes] : []
            #expect(PEMCertificates.decode(Self.text(Self.base64(bytes))) == expected, "\(count)")
        }
    }

    /// What `keytool` of a JDK reads is tested where there is one; here, that the bytes stay.
    @Test func aStoreOfJava() {
        let store = JavaTrustStore.encode([Self.five])
        let head: [UInt8] = [0xFE, 0xED, 0xFE, 0xED, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 0, 5] + Array("root0".utf8)
        #expect(Array(store.prefix(head.count)) == head)
        #expect(Array(store[(head.count + 8)...].prefix(7)) == [0, 5] + Array("X.509".utf8))
        #expect(Array(store[(head.count + 15)...].prefix(9)) == [0, 0, 0, 5] + Self.five)
        #expect(store.count == head.count + 8 + 7 + 9 + 20)
        #expect(JavaTrustStore.encode([]).count == 12 + 20)
    }

    private static func base64(_ bytes: [UInt8]) -> String {
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
        return stride(from: 0, to: bytes.count, by: 3).map { start in
            let part = bytes[start..<min(start + 3, bytes.count)]
            let word = part.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - part.count))
            let digits = (0..<4).map { alphabet[word >> (18 - 6 * $0) & 63] }
            return String(digits.prefix(part.count + 1)) + String(repeating: "=", count: 3 - part.count)
        }.joined()
    }
}
