import Domain
import Foundation
import Redaction
import TestSupport
import Testing

@testable import Journal

@Suite("opening a journal after a crash")
struct RecoveryTests {
    /// A journal of four lines whose mark stands after the second, as if the last two had been written and not yet
    /// marked.
    struct Crashed {
        let fixture: Fixture
        let run = Fixture.run("crash")
        let bytes: [UInt8]
        let markBytes: [UInt8]
        let lineEnds: [Int]

        init() throws {
            fixture = try Fixture(inMemory: true)
            let writer = try fixture.open(run)
            for index in 0..<2 { try writer.append(Fixture.record(index), actor: .system) }
            markBytes = try fixture.bytes(fixture.markPath(run))
            for index in 2..<4 { try writer.append(Fixture.record(index), actor: .system) }
            let content = try fixture.bytes(fixture.journalPath(run))
            bytes = content
            lineEnds = content.indices.filter { content[$0] == 0x0A }.map { $0 + 1 }
        }

        var marked: Int { lineEnds[1] }

        func put(_ content: some Sequence<UInt8>) throws {
            try fixture.write(content, fixture.journalPath(run))
            try fixture.write(markBytes, fixture.markPath(run))
        }
    }

    @Test("a file that ends anywhere behind the mark is cut to whole lines; before it, the alarm goes off")
    func everyTruncation() throws {
        let crashed = try Crashed()
        for length in 0...crashed.bytes.count {
            try crashed.put(crashed.bytes[..<length])
            if length < crashed.marked {
                #expect(journalErrorCode { try crashed.fixture.open(crashed.run) } == .tampered, "length \(length)")
                #expect(try crashed.fixture.bytes(crashed.fixture.journalPath(crashed.run)).count == length)
                continue
            }
            let whole = try #require(crashed.lineEnds.last { $0 <= length })
            let writer = try crashed.fixture.open(crashed.run)
            #expect(writer.recovery?.cutAtByte == (whole == length ? nil : UInt64(whole)), "length \(length)")
            if let recovery = writer.recovery {
                #expect(recovery.cutBytes == UInt64(length - whole))
                try writer.append(recovery.record, actor: .system)
            }
            #expect(try crashed.fixture.verify().isGood)
        }
    }

    @Test("a byte changed behind the mark cuts there, before it the alarm goes off and the file stays as it is")
    func everyFlip() throws {
        let crashed = try Crashed()
        for index in crashed.bytes.indices {
            var bytes = crashed.bytes
            bytes[index] ^= 0x01
            try crashed.put(bytes)
            if index < crashed.marked {
                #expect(journalErrorCode { try crashed.fixture.open(crashed.run) } == .tampered, "byte \(index)")
                #expect(try crashed.fixture.bytes(crashed.fixture.journalPath(crashed.run)) == bytes)
            } else {
                let size = try crashed.fixture.open(crashed.run).head.size
                // The last line's own text is nobody's witness yet; where it stays a line, it stays.
                #expect(size == 2 || size == 3 || size == 4, "byte \(index)")
                #expect(try crashed.fixture.verify().isGood)
            }
        }
    }

    @Test(
        "a block behind the mark that never reached the disk cuts there, one before it is an alarm",
        arguments: [16, 64, 512]
    )
    func everyMissingBlock(byteCount: Int) throws {
        let crashed = try Crashed()
        for start in stride(from: 0, to: crashed.bytes.count, by: byteCount) {
            let block = start..<min(start + byteCount, crashed.bytes.count)
            var bytes = crashed.bytes
            bytes.replaceSubrange(block, with: repeatElement(0, count: block.count))
            try crashed.put(bytes)
            if start < crashed.marked {
                #expect(journalErrorCode { try crashed.fixture.open(crashed.run) } == .tampered, "block at \(start)")
                #expect(try crashed.fixture.bytes(crashed.fixture.journalPath(crashed.run)) == bytes)
            } else {
                let whole = crashed.lineEnds.filter { $0 <= start }.count
                #expect(try crashed.fixture.open(crashed.run).head.size == UInt64(whole), "block at \(start)")
                #expect(try crashed.fixture.verify().isGood)
            }
        }
    }

    @Test("whatever lies behind the mark, a valid prefix is kept and the journal goes on")
    func garbageTails() throws {
        let crashed = try Crashed()
        var generator = SeededGenerator(seed: 7)
        for round in 0..<60 {
            let tail = (0..<Int.random(in: 1...3000, using: &generator)).map { _ in
                round.isMultiple(of: 2) ? UInt8.random(in: .min ... .max, using: &generator) : 0
            }
            try crashed.put(crashed.bytes + tail)
            let writer = try crashed.fixture.open(crashed.run)
            #expect(writer.head.size == 4 && writer.recovery?.cutBytes == UInt64(tail.count))
            try writer.append(Fixture.record(9), actor: .system)
            #expect(try crashed.fixture.verify().isGood)
        }
    }

    @Test(
        "a mark that is gone, damaged or of another history is an alarm",
        arguments: ["gone", "empty", "digit", "leaf", "ahead"]
    )
    func badMark(kind: String) throws {
        let crashed = try Crashed()
        try crashed.put(crashed.bytes)
        var mark = crashed.markBytes
        switch kind {
        case "empty": mark = []
        case "digit": mark[3] = UInt8(ascii: "x")
        case "leaf": mark[60] = mark[60] == UInt8(ascii: "0") ? UInt8(ascii: "1") : UInt8(ascii: "0")
        case "ahead": mark[19] = UInt8(ascii: "9")
        default: break
        }
        try crashed.fixture.write(mark, crashed.fixture.markPath(crashed.run))
        if kind == "gone" {
            try FileManager.default.removeItem(atPath: crashed.fixture.path(crashed.fixture.markPath(crashed.run)))
        }
        #expect(journalErrorCode { try crashed.fixture.open(crashed.run) } == .tampered)
        #expect(try !crashed.fixture.verify().isGood)
    }

    @Test("a crash before the first line leaves nothing that hinders", arguments: [0, 50, DurableMark.byteCount])
    func crashAtCreation(markBytes: Int) throws {
        let fixture = try Fixture()
        let run = Fixture.run("young")
        _ = try fixture.open(run)
        try fixture.write(try fixture.bytes(fixture.markPath(run)).prefix(markBytes), fixture.markPath(run))
        #expect(try fixture.open(run).append(Fixture.record(0), actor: .system).size == 1)
        #expect(try fixture.verify().isGood)
    }

    @Test("another run's journal is no journal of this one")
    func swappedRuns() throws {
        let fixture = try Fixture()
        try fixture.finishedRun("one")
        try fixture.finishedRun("two")
        let one = fixture.path("bailey/runs/r_one"), two = fixture.path("bailey/runs/r_two")
        try FileManager.default.moveItem(atPath: one, toPath: one + ".x")
        try FileManager.default.moveItem(atPath: two, toPath: one)
        try FileManager.default.moveItem(atPath: one + ".x", toPath: two)
        #expect(journalErrorCode { try fixture.open(Fixture.run("one")) } == .tampered)
        #expect(try fixture.verify().firstBadLines == ["r_one": 1, "r_two": 1])
    }
}
