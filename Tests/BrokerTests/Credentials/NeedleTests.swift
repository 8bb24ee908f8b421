import Broker
import Egress
import Foundation
import NIOCore
import Testing

@Suite("texts are found in whatever pieces they come, and everything else goes on")
struct NeedleTests {
    private static let key = CredentialYard.randomKey(40)

    private func set(_ texts: [String], seesPlaceholders: Bool = false) throws -> NeedleSet {
        let joined = Array(texts.joined().utf8)
        return try joined.withUnsafeBytes { bytes in
            var start = 0
            let parts = texts.map { text in
                defer { start += text.utf8.count }
                return UnsafeRawBufferPointer(rebasing: bytes[start..<start + text.utf8.count])
            }
            return try NeedleSet(parts, seesPlaceholders: seesPlaceholders)
        }
    }

    /// What comes out of pieces; nil where something was found.
    private func out(_ needles: NeedleSet, _ pieces: [[UInt8]]) -> [UInt8]? {
        var scanner = NeedleScanner(needles)
        var out: [UInt8] = []
        for piece in pieces {
            guard let going = scanner.take(ByteBuffer(bytes: piece)) else { return nil }
            out += Array(going.readableBytesView)
        }
        guard let rest = scanner.end() else { return nil }
        return out + Array(rest.readableBytesView)
    }

    @Test func itIsFoundAtEveryPlaceAndInEveryTwoPieces() throws {
        let needles = try set([Self.key])
        for before in 0..<50 {
            let text = Array((String(repeating: "a", count: before) + Self.key + "tail").utf8)
            for place in 0...text.count {
                #expect(out(needles, [Array(text[..<place]), Array(text[place...])]) == nil)
            }
            #expect(out(needles, text.map { [$0] }) == nil)
        }
    }

    @Test func whatIsNotItGoesOnWhole() throws {
        let needles = try set([Self.key])
        var random = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            var bytes: [UInt8] = []
            for _ in 0..<20 {
                let start = Int.random(in: 0..<40, using: &random)
                let end = Int.random(in: start...40, using: &random)
                if end - start < 40 { bytes += Array(Self.key.utf8)[start..<end] }
                bytes.append(UInt8(ascii: "!"))
            }
            var pieces: [[UInt8]] = []
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = Int.random(in: 1...min(30, rest.count), using: &random)
                pieces.append(Array(rest.prefix(count)))
                rest = rest.dropFirst(count)
            }
            #expect(out(needles, pieces) == bytes)
        }
    }

    @Test func onlyWhatCouldBeginItWaits() throws {
        let needles = try set([Self.key])
        var scanner = NeedleScanner(needles)
        let piece = ByteBuffer(string: "data: hello\n\n" + Self.key.prefix(5))
        #expect(scanner.take(piece).map { String(buffer: $0) } == "data: hello\n\n")
        #expect(scanner.take(ByteBuffer(string: "!\n")).map { String(buffer: $0) } == Self.key.prefix(5) + "!\n")
        #expect(scanner.end()?.readableBytes == 0)
    }

    @Test func shortTextsAreFoundOnlyAsTheyAre() throws {
        let needles = try set(["0123456\n"])
        #expect(out(needles, [Array("x0123456\n".utf8)]) == nil)
        #expect(out(needles, [Array("0123456".utf8), Array("7".utf8)]) == Array("01234567".utf8))
    }

    /// As Go, .NET, PHP, Python, Jinja and JavaScript write it, and in UTF-16.
    @Test func asProgramsEscapeItItIsFound() throws {
        let key = "a+b/c=d&e<f>g'h\"i`" + Self.key
        let needles = try set([key])
        let forms = [
            #"a+b/c=d\u0026e\u003cf\u003eg'h\"i`"#, #"a\u002Bb/c=d\u0026e\u003Cf\u003Eg\u0027h\u0022i\u0060"#,
            "a+b/c=d&amp;e&lt;f&gt;g&#39;h&quot;i`", "a&#43;b/c=d&amp;e&lt;f&gt;g&#39;h&#34;i`",
            "a+b/c&#x3D;d&amp;e&lt;f&gt;g&#x27;h&quot;i&#x60;",
        ]
        for form in forms { #expect(out(needles, [Array(("x" + form + Self.key + "y").utf8)]) == nil, "\(form)") }
        let wide: [UInt8] = key.utf8.flatMap { [$0, 0] as [UInt8] }
        #expect(out(needles, [wide]) == nil && out(needles, [[0]] + wide.dropLast().map { [$0] }) == nil)
    }

    @Test func anybodysPlaceholderIsFoundByItsForm() throws {
        var random = SystemRandomNumberGenerator()
        let own = Placeholder(prefix: "", length: 32, random: &random).text
        let needles = try set([own], seesPlaceholders: true)
        for _ in 0..<50 {
            let foreign = Placeholder(prefix: "sk-", length: 60, random: &random).text
            let text = Array("a BAILEY BAILEYBAILEY ...\(foreign) tail".utf8)
            for place in stride(from: 0, through: text.count, by: 3) {
                #expect(out(needles, [Array(text[..<place]), Array(text[place...])]) == nil)
            }
        }
        let alike = Array("BAILEYabcdefghijklmnopqrstuvwxyzAB, BAILEY and Co., BAILEY".utf8)
        #expect(out(needles, [alike]) == alike)
        #expect(out(needles, alike.map { [$0] }) == alike)
    }

    @Test func theMemoryOfSecretsIsLockedAndNotDumped() throws {
        let value = try Array(Self.key.utf8).withUnsafeBytes { try SecretValue($0) }
        let start = value.withBytes { UInt(bitPattern: $0.baseAddress) }
        let file = try #require(FileHandle(forReadingAtPath: "/proc/self/smaps"))
        let maps = String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self).split(separator: "\n")
        let index = try #require(
            maps.lastIndex { line in
                let ends = (line.split(separator: " ").first ?? "").split(separator: "-").map { UInt($0, radix: 16) }
                guard ends.count == 2, let lower = ends[0], let upper = ends[1] else { return false }
                return lower <= start && start < upper
            },
            "\(String(start, radix: 16)) in \(maps.filter { $0.contains("-") }.count) mappings"
        )
        let flags = try #require(maps[index...].first { $0.hasPrefix("VmFlags:") }).split(separator: " ")
        for flag in ["lo", "dd", "wf"] { #expect(flags.contains(Substring(flag)), "\(flags)") }
        #expect(value.withBytes { Array($0) } == Array(Self.key.utf8))
    }
}
