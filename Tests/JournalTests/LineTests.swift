import Domain
import Foundation
import Redaction
import TestSupport
import Testing

@testable import Journal

@Suite("reading lines from hostile hands")
struct LineTests {
    private static let previous = String(repeating: "0", count: 64)

    private static func line(
        seq: String = "1",
        ts: String = "2026-01-31T23:59:59.999Z",
        run: String = "r_x",
        type: String = "RUN_CREATED",
        actor: String = "system",
        data: String = "{}"
    ) -> String {
        #"{"v":1,"seq":\#(seq),"ts":"\#(ts)","run":"\#(run)","type":"\#(type)","#
            + #""prev":"\#(previous)","actor":"\#(actor)","data":\#(data)}"#
    }

    @Test("takes the one spelling of an envelope with any object in it")
    func good() throws {
        let line = try JournalLine(
            Array(Self.line(seq: "41", data: #" {"a":[1,2.5,{"b":null}]}"#.trimmingCharacters(in: .whitespaces)).utf8)
        )
        #expect(line.sequence == 41 && line.timestamp == "2026-01-31T23:59:59.999Z" && line.run == "r_x")
        #expect(line.data["a"]?.arrayValue?.count == 3)
    }

    @Test(
        "refuses every other",
        arguments: [
            "", "{}", "\u{0}", line(seq: "0"), line(seq: "01"), line(seq: "-1"), line(seq: "99999999999999999999"),
            line(seq: "1.0"),
            line(ts: "2026-01-31 23:59:59.999Z"), line(ts: "yesterday"), line(run: ""), line(run: "R"),
            line(run: "a\\u0062"),
            line(run: String(repeating: "a", count: 65)), line(type: "run"), line(actor: ""), line(actor: "a b"),
            line(actor: "ä"),
            line(data: "[]"), line(data: "null"), line(data: #"{"a":1,"a":2}"#), line(data: #"{"a":"\ud800"}"#),
            line(data: "{\"a\":\"\n\"}"),
            line(data: #"{"a":NaN}"#), line(data: #"{"a":1e999}"#), line(data: #"{"a":1}}"#),
            line(data: #"{"a":1},"b":{}"#),
            line(data: "{\"a\":\"\u{0}\"}"), line() + " ", " " + line(), line() + line(),
            line().replacingOccurrences(of: ":", with: ": "),
            line().replacingOccurrences(of: #""v":1"#, with: #""v":2"#),
            line(
                data: #"{"a":"# + String(repeating: "[", count: 100_000) + String(repeating: "]", count: 100_000) + "}"
            ),
        ]
    )
    func bad(text: String) { #expect(throws: LineFault.self) { try JournalLine(Array(text.utf8)) } }

    @Test("bytes that are no UTF-8 are no line")
    func encoding() {
        for bytes: [UInt8] in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xE2, 0x80]] {
            let line =
                Array(#"{"v":1,"#.utf8) + Self.line(data: "{\"a\":\"").utf8.dropFirst(7).dropLast() + bytes
                + Array("\"}}".utf8)
            #expect(throws: LineFault.self) { try JournalLine(line) }
        }
    }

    @Test("a huge line, no newline, or nothing at all ends in a fault and in bounded memory and time")
    func hugeFiles() throws {
        let fixture = try Fixture()
        let run = Fixture.run("huge")
        try fixture.open(run).append(Fixture.record(0), actor: .system)
        let good = try fixture.bytes(fixture.journalPath(run))
        let megabytes = [UInt8](repeating: UInt8(ascii: "["), count: 40 << 20)
        let start = ContinuousClock.now
        for tail in [megabytes, megabytes + [0x0A], [UInt8](repeating: 0x0A, count: 40 << 20)] {
            try fixture.write(good + tail, fixture.journalPath(run))
            let report = try fixture.verify()
            #expect(report.firstBadLines["r_huge"] == 2)
            var reader = try JournalReader(.run(run), in: try fixture.directory("bailey/runs/r_huge"))
            #expect(try reader.next() != nil)
            #expect(journalErrorCode { try reader.next() } == .tampered)
        }
        #expect(ContinuousClock.now - start < .seconds(20))
    }

    @Test("random damage never passes, crashes or hangs the reader", arguments: 0..<8)
    func fuzz(seed: Int) throws {
        let fixture = try Fixture(inMemory: true)
        try fixture.finishedRun("fuzz", lines: 4)
        let run = Fixture.run("fuzz")
        let good = try fixture.bytes(fixture.journalPath(run))
        var generator = SeededGenerator(seed: UInt64(seed))
        for _ in 0..<150 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let index = Int.random(in: bytes.indices, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[index] = UInt8.random(in: .min ... .max, using: &generator)
                case 1: bytes.remove(at: index)
                case 2:
                    bytes.insert(
                        contentsOf: bytes[index...].prefix(40),
                        at: Int.random(in: bytes.indices, using: &generator)
                    )
                default: bytes.insert(UInt8.random(in: .min ... .max, using: &generator), at: index)
                }
            }
            try fixture.write(bytes, fixture.journalPath(run))
            #expect(try fixture.verify().isGood == (bytes == good))
        }
    }

    @Test("a Record takes words of its vocabulary only")
    func symbols() {
        #expect(Symbol(Verdict.ask).text == "ask")
        #expect(Symbol(RuleID("operator-run")).text == "operator-run")
        #expect(Symbol(Fixture.run("a")).text == "r_a")
    }
}
