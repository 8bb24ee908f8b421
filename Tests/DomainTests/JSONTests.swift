import Domain
import Testing

@Suite("JSON values")
struct JSONTests {
    private func parse(_ text: String) throws -> JSONValue { try JSONParser.parse(Array(text.utf8)) }

    @Test("are written as one line, members in their order, dangerous characters escaped")
    func writing() {
        let value = JSONValue.object([
            ("z", .array([.null, .bool(true), .integer(.min), .unsigned(.max), .number(1.5), .number(.infinity)])),
            ("a\n", .string("é\u{1F600}\"\\\u{7F}\u{9B}\u{202E}\u{2028}\u{0}/")),
        ])
        let expected =
            #"{"z":[null,true,-9223372036854775808,18446744073709551615,1.5,null],"#
            + #""a\n":"é😀\"\\\u007f\u009b\u202e\u2028\u0000/"}"#
        #expect(String(decoding: value.bytes(), as: UTF8.self) == expected)
    }

    @Test("come back as they were", arguments: 0..<64)
    func roundTrip(seed: UInt64) throws {
        var state = seed
        let value = Self.random(&state, depth: 0)
        #expect(try JSONParser.parse(value.bytes()) == value)
    }

    private static func random(_ state: inout UInt64, depth: Int) -> JSONValue {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        let choice = (state >> 33) % (depth < 5 ? 8 : 6)
        let scalars = (0..<(state >> 40) % 9).compactMap {
            Unicode.Scalar(UInt32((state >> (UInt64($0) * 5)) % 0x3000))
        }
        let text = String(String.UnicodeScalarView(scalars))
        switch choice {
        case 0: return .null
        case 1: return .bool(state & 1 == 0)
        case 2: return .integer(Int64(bitPattern: state))
        case 3: return .unsigned(state)
        case 4: return .number(Double(Int64(bitPattern: state)) / 1024.5)
        case 5: return .string(text)
        case 6: return .array((0..<3).map { _ in random(&state, depth: depth + 1) })
        default: return .object((0..<3).map { ("\($0)" + text, random(&state, depth: depth + 1)) })
        }
    }

    @Test(
        "are read as the standard says",
        arguments: [
            (" [ ] ", JSONValue.array([])), ("{ }", .object([])), ("-0", .integer(0)), ("1E2", .number(100)),
            ("0.5e-1", .number(0.05)),
            ("18446744073709551615", .unsigned(.max)), ("18446744073709551616", .number(18_446_744_073_709_551_616)),
            ("\"\\u00e9\\ud83d\\ude00\\/\\b\\f\\n\\r\\t\"", .string("é😀/\u{8}\u{C}\n\r\t")),
            ("\"\u{7F}\"", .string("\u{7F}")),
            ("{\"b\":1,\"a\":{\"b\":2}}", .object([("b", .integer(1)), ("a", .object([("b", .integer(2))]))])),
        ]
    )
    func reading(text: String, expected: JSONValue) throws { #expect(try parse(text) == expected) }

    @Test(
        "are refused where they are none",
        arguments: [
            "", " ", "nul", "nulls", "tru", "{", "[", "[1", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}",
            "{a:1}", "{'a':1}", "[1] 2",
            "01", "-", "+1", "1.", ".5", "1e", "1e+", "0x10", "NaN", "Infinity", "1e999", "-1e999", "\"", "\"\\\"",
            "\"\\x\"", "\"\\u12\"",
            "\"\\u12g4\"", "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "\"\n\"", "\"\u{0}\"", "\u{FEFF}1",
            "{\"a\":1,\"a\":2}",
            "{\"\\u0061\":1,\"a\":2}", "{\"a\" 1}", "\u{A0}1", String(repeating: "1", count: 65), "/**/1",
        ]
    )
    func refusing(text: String) { #expect(throws: JSONError.self) { try parse(text) } }

    @Test(
        "with bytes that are no UTF-8 are refused",
        arguments: [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xE2, 0x80]] as [[UInt8]]
    )
    func encoding(bytes: [UInt8]) {
        #expect(throws: JSONError.self) { try JSONParser.parse([0x22] + bytes + [0x22]) }
    }

    @Test("may be nested only so deep")
    func depth() throws {
        let nested = { (depth: Int) in String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
        #expect(try parse(nested(JSONParser.depthMax + 1)) != .null)
        #expect(throws: JSONError.self) { try parse(nested(JSONParser.depthMax + 2)) }
        #expect(throws: JSONError.self) { try parse(String(repeating: "{\"a\":", count: 1_000_000)) }
    }

    @Test("two spellings of a letter are two names")
    func canonicalEquivalence() throws {
        #expect(try parse("{\"e\u{301}\":1,\"\u{E9}\":2}") != .null)
    }

    @Test("numbers convert where they fit")
    func conversions() {
        #expect(JSONValue.integer(-1).unsignedValue == nil && JSONValue.unsigned(.max).integerValue == nil)
        #expect(JSONValue.unsigned(5).integerValue == 5 && JSONValue.unsigned(5) == .integer(5))
    }
}

@Suite("base 64")
struct Base64Tests {
    @Test(
        "has the standard's vectors",
        arguments: [
            ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("foobar", "Zm9vYmFy"),
        ]
    )
    func vectors(plain: String, encoded: String) {
        #expect(Base64.encode(Array(plain.utf8)) == encoded)
        #expect(Base64.decode(encoded) == Array(plain.utf8))
    }

    @Test("has one spelling for each value", arguments: ["Zg", "Zg=", "Zh==", "Zg== ", "Z", "====", "Zm9v\n", "Zm_v"])
    func refused(text: String) { #expect(Base64.decode(text) == nil) }
}
