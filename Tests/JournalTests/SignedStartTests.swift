import Domain
import Files
import Foundation
import TestSupport
import Testing

@testable import Journal

@Suite("what a checkpoint covers is compared with it as a whole, and what it does not is read line by line")
struct SignedStartTests {
    private let journal = "bailey/authority/journal.jsonl"
    private let mark = "bailey/authority/head"
    private let checkpoint = "bailey/authority/checkpoint"

    /// What stands of an authority's journal of three lines, begun at the checkpoint over the first two.
    private func start(_ change: (Fixture) throws -> Void) throws -> SignedStart? {
        let fixture = try Fixture()
        try fixture.finishedRun("a")
        try fixture.finishedRun("b")
        let note = try fixture.bytes(checkpoint)
        try fixture.finishedRun("c")
        try change(fixture)
        let directory = try fixture.directory("bailey/authority")
        return try SignedStart(
            directory.open(JournalOpening.fileName, flags: O_RDONLY),
            checkpoint: Checkpoint(note, key: nil),
            mark: #require(DurableMark(try fixture.bytes(mark)))
        )
    }

    @Test("it begins behind the lines that it covers")
    func begins() throws {
        let start = try #require(try start { _ in })
        #expect(start.chain.head.size == 2)
        #expect(start.tree.size == 2)
    }

    @Test("a byte that differs, a line that is missing and a mark that does not fit are left to the reader of lines")
    func falsified() throws {
        for index in 0..<2 {
            #expect(
                try start { fixture in
                    var lines = try fixture.bytes(journal).split(separator: 0x0A).map(Array.init)
                    lines[index][lines[index].count - 5] ^= 1
                    try fixture.write(lines.joined(separator: [0x0A]) + [0x0A], journal)
                } == nil
            )
        }
        #expect(
            try start { fixture in
                let lines = try fixture.bytes(journal).split(separator: 0x0A)
                try fixture.write(lines[0] + [0x0A], journal)
            } == nil
        )
        for size in 0..<3 as Range<UInt64> {
            #expect(
                try start { fixture in
                    let wrong = DurableMark(size: size, byteOffset: 1, leaf: JournalSubject.authority.genesis)
                    try fixture.write(wrong.bytes, mark)
                } == nil
            )
        }
    }

    @Test("lines behind an older checkpoint count, and the next one covers them")
    func behind() throws {
        let fixture = try Fixture()
        try fixture.finishedRun("a")
        try fixture.finishedRun("b")
        let older = try fixture.bytes(checkpoint)
        let olderMark = try fixture.bytes(mark)
        try fixture.finishedRun("c")
        // A power cut may leave both as they were.
        try fixture.write(older, checkpoint)
        try fixture.write(olderMark, mark)
        try fixture.finishedRun("d")
        let report = try fixture.verify()
        #expect(report.isGood, "\(report)")
        #expect(try Checkpoint(fixture.bytes(checkpoint), key: nil).size == 4)
    }

    @Test("a forged line behind the checkpoint is refused, the chain broken or not named by a mark")
    func forgedBehind() throws {
        let fixture = try Fixture()
        try fixture.finishedRun("a")
        let bytes = try fixture.bytes(journal)
        try fixture.write(bytes + Array("{\"v\":1}\n".utf8), journal)
        // Behind the mark it is an unfinished write, and cut.
        let authority = try fixture.openAuthority()
        #expect(authority.recovery?.line == 2)
        #expect(try fixture.bytes(journal) == bytes)
    }
}
