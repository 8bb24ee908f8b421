import Domain
import Files
import Foundation
import Redaction
import TestSupport
import Testing

@testable import Journal

/// `script/verify-journal.py` shares no code with the product; that both say the same of good and damaged projects is
/// evidence that the format is what its description says.
@Suite("the independent verifier agrees")
struct IndependentVerifierTests {
    private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("script/verify-journal.py").path

    /// Two runs, one ended and one open, small enough to damage every byte of every file.
    private func project() throws -> Fixture {
        let fixture = try Fixture(inMemory: true)
        let open = try fixture.open(Fixture.run("b"))
        try open.append(Record(.runCreated, ["n": .integer(1), "s": .text(Redacted(constant: "é"))]), actor: .system)
        try fixture.openAuthority().recordHead(of: Fixture.run("b"), open.head, actor: .system)
        try open.append(Record(.grantIssued, ["a": .flag(true), "b": .list([])]), actor: .human(userID: 0))
        let ended = try fixture.open(Fixture.run("a"))
        try ended.append(Record(.runCreated), actor: .system)
        try ended.append(Record(.runFailed), actor: .system)
        try fixture.openAuthority().recordHead(of: Fixture.run("a"), ended.head, actor: .system)
        return fixture
    }

    static let files = [
        "runs/r_a/journal/journal.jsonl", "runs/r_b/journal/journal.jsonl", "runs/r_b/journal/head",
        "authority/journal.jsonl", "authority/checkpoint",
    ]

    /// First bad lines by project and subject as the script prints them.
    private func python(_ fixture: Fixture, _ projects: [String], path: String? = nil) throws -> [String: [String:
        UInt64]]
    {
        let arguments = [Self.script] + projects + ["--key", fixture.path("state/signing.pub")]
        let (status, output) = try run("python3", arguments, in: fixture.temporary.path, path: path)
        if status == 127 { try Test.cancel("python3 is not installed") }
        var found: [String: [String: UInt64]] = [:]
        for line in output.split(separator: "\n") {
            let parts = line.split(separator: ":", maxSplits: 2).map { $0.trimmingCharacters(in: .whitespaces) }
            try #require(parts.count >= 2, "\(output.suffix(2000))")
            if parts.count == 2 {
                #expect(parts[1] == (found[parts[0]] == nil ? "good" : "bad"))
                found[parts[0], default: [:]][""] = 0
            } else {
                found[parts[0], default: [:]][parts[1]] = UInt64(parts[2].split(separator: " ")[1]) ?? 0
            }
        }
        #expect(found.count == projects.count)
        #expect(status == (found.values.allSatisfy { $0.count == 1 } ? 0 : 1))
        return found.mapValues { $0.filter { !$0.key.isEmpty } }
    }

    /// Damages copies of the project, one a variant, and compares the verdicts of both verifiers.
    private func compare(_ fixture: Fixture, file: String, variants: [[UInt8]], mayBeGood: (Int) -> Bool) throws {
        let step = 250
        for start in stride(from: 0, to: variants.count, by: step) {
            let indices = start..<min(start + step, variants.count)
            for index in indices {
                try fixture.copyProject(to: "v\(index)")
                try fixture.write(variants[index], "v\(index)/" + file)
            }
            let theirs = try python(fixture, indices.map { "v\($0)" })
            for index in indices {
                let report = try fixture.verify(copy: "v\(index)")
                #expect(theirs["v\(index)"] == report.firstBadLines, "variant \(index): \(report.findings)")
                #expect(!report.isGood || mayBeGood(index), "variant \(index)")
                try FileManager.default.removeItem(atPath: fixture.path("v\(index)"))
            }
        }
    }

    @Test("on a good project, with and without openssl")
    func good() throws {
        let fixture = try project()
        #expect(try fixture.verify().isGood)
        #expect(try python(fixture, ["bailey"]) == ["bailey": [:]])
        let bin = fixture.path("bin")
        try fixture.make("bin")
        let python3 = try run("python3", ["-c", "import sys; print(sys.executable)"], in: "/").output.dropLast()
        try #require(symlink(String(python3), bin + "/python3") == 0)
        #expect(try python(fixture, ["bailey"], path: bin) == ["bailey": [:]])
        var note = try fixture.bytes("bailey/authority/checkpoint")
        // A byte within the signature.
        note[note.count - 20] = note[note.count - 20] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
        try fixture.write(note, "bailey/authority/checkpoint")
        #expect(try python(fixture, ["bailey"], path: bin) == ["bailey": ["checkpoint": 0]])
        #expect(try fixture.verify().firstBadLines == ["checkpoint": 0])
    }

    @Test("on every flipped byte", arguments: files)
    func flips(file: String) throws {
        let fixture = try project()
        let bytes = try fixture.bytes("bailey/" + file)
        var generator = SeededGenerator(seed: 11)
        let variants = bytes.indices.map { index in
            var copy = bytes
            copy[index] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            return copy
        }
        // Only the last line of the open run has no witness behind it yet but the mark, which pins it.
        try compare(fixture, file: file, variants: variants) { _ in false }
    }

    @Test("on every truncation", arguments: files)
    func truncations(file: String) throws {
        let fixture = try project()
        let bytes = try fixture.bytes("bailey/" + file)
        try compare(fixture, file: file, variants: bytes.indices.map { Array(bytes[..<$0]) }) { _ in false }
    }

    @Test("on lines that were moved, dropped, doubled and torn, and on hostile JSON behind the mark")
    func lines() throws {
        let fixture = try project()
        let file = "runs/r_b/journal/journal.jsonl"
        let bytes = try fixture.bytes("bailey/" + file)
        let lines = bytes.split(separator: 0x0A).map { Array($0) + [0x0A] }
        var variants = [
            lines[1] + lines[0], lines[0], lines[1], lines[0] + lines[0] + lines[1], bytes + lines[1], bytes + [0x0A],
            bytes + [0x20],
        ]
        let head = try JournalLine(Array(lines[1].dropLast())).leaf
        var envelope: [UInt8] = []
        JournalLine.write(
            sequence: 3,
            timestamp: "2026-01-01T00:00:00.000Z",
            subject: .run(Fixture.run("b")),
            type: .grantIssued,
            previous: head,
            actor: "system",
            data: Array("@".utf8),
            to: &envelope
        )
        let hostile = [
            "{}", "[]", "{\"a\":1,\"a\":1}", "{\"a\":\"\\ud800\"}", "{\"a\":\"\\ud83d\\ude00\"}", "{\"a\":NaN}",
            "{\"a\":-Infinity}", "{\"a\":1e999}",
            "{\"a\":1E5}", "{\"a\":-0}", "{\"a\":01}", "{\"a\":1.}", "{\"a\":.5}", "{\"a\":+1}",
            "{\"a\":18446744073709551616}", "{\"a\":\(String(repeating: "9", count: 65))}",
            "{\"a\":\(String(repeating: "9", count: 64))}", "{\"a\":\"\u{0}\"}", "{\"a\":\"\u{7F}\u{85}\"}",
            "{\"a\":\"\t\"}", "{ \"a\" : [ ] }", "{\"a\":'b'}", "{a:1}", "{\"a\":1,}",
            "{\"a\":\(String(repeating: "[", count: 32))\(String(repeating: "]", count: 32))}",
            "{\"a\":\(String(repeating: "[", count: 33))\(String(repeating: "]", count: 33))}",
            "{\"a\":\(String(repeating: "[", count: 5000))\(String(repeating: "]", count: 5000))}",
            "{\"\\u0061\":1,\"a\":2}", "{\"e\u{301}\":1,\"\u{E9}\":2}", "{\"a\":\"\\x\"}",
            "{\"a\":true}}", "{}{}", "{\"a\":\"\\/\\b\\f\"}", "{\"a\":\"\\uD83D\\u0061\"}", "{\"a\":tru}",
            "{\"a\":\"\(String(repeating: "x", count: 2 << 20))\"}",
        ]
        for data in hostile {
            let parts = envelope.split(separator: UInt8(ascii: "@"))
            variants.append(bytes + parts[0] + Array(data.utf8) + parts[1])
        }
        variants.append(bytes + envelope.dropLast(5))
        variants.append(bytes + [0xFF, 0xFE, 0x0A])
        try compare(fixture, file: file, variants: variants) { $0 >= 6 }
    }

    @Test(
        "on missing files and runs",
        arguments: [
            "runs/r_a", "runs/r_b", "runs/r_a/journal", "runs/r_b/journal/head", "runs/r_b/journal/journal.jsonl",
            "runs", "authority",
            "authority/checkpoint", "authority/head", "authority/journal.jsonl",
        ]
    )
    func missing(entry: String) throws {
        let fixture = try project()
        try FileManager.default.removeItem(atPath: fixture.path("bailey/" + entry))
        #expect(try python(fixture, ["bailey"])["bailey"] == fixture.verify().firstBadLines)
    }
}
