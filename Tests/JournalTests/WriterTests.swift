import Crypto
import Domain
import Files
import Foundation
import Redaction
import TestSupport
import Testing

@testable import Journal

@Suite("the journal's writer")
struct WriterTests {
    @Test("writes exactly the documented line")
    func lineFormat() throws {
        let fixture = try Fixture()
        let run = Fixture.run("format")
        let fields: KeyValuePairs<StaticString, RecordValue> = [
            "text": .text(Redacted(constant: "a\u{7F}\u{85}\u{202E}\u{2028}\u{1}\"\\")), "number": .integer(-5),
            "verdict": .word(Verdict.deny), "run": .id(run), "digest": .digest(JournalSubject.authority.genesis),
        ]
        try fixture.open(run).append(Record(.runCreated, fields), actor: .agent(name: "a b%"))
        let genesis = SHA256.hash(data: Array("bailey-genesis-v1:r_format".utf8)).map { $0 }
        let expected =
            #"{"v":1,"seq":1,"ts":"2027-01-15T08:00:00.000Z","run":"r_format","type":"RUN_CREATED","prev":""#
            + Hex.encode(genesis) + #"","actor":"agent:a%20b%25","data":{"text":"a\u007f\u0085\u202e\u2028\u0001\"\\","#
            + #""number":-5,"verdict":"deny","run":"r_format","digest":""# + JournalSubject.authority.genesis.hex
            + "\"}}\n"
        #expect(String(decoding: try fixture.bytes(fixture.journalPath(run)), as: UTF8.self) == expected)
    }

    @Test("each line names the hash of the line before it, and the mark the last one")
    func chain() throws {
        let fixture = try Fixture()
        let run = Fixture.run("chain")
        let writer = try fixture.open(run)
        for index in 0..<5 { try writer.append([Fixture.record(index), Fixture.record(index)], actor: .system) }
        let lines = try fixture.bytes(fixture.journalPath(run)).split(separator: 0x0A).map { Array($0) }
        #expect(lines.count == 10)
        var previous = JournalSubject.run(run).genesis
        for (index, line) in lines.enumerated() {
            let parsed = try JournalLine(line)
            #expect(parsed.sequence == UInt64(index + 1))
            #expect(parsed.previous == previous)
            previous = Digest(SHA256.hash(data: [0] + line))!
        }
        #expect(writer.head == JournalHead(size: 10, leaf: previous))
        let mark = try #require(DurableMark(try fixture.bytes(fixture.markPath(run))))
        #expect(mark.size == 10 && mark.leaf == previous)
        #expect(try fixture.bytes(fixture.journalPath(run)).count == Int(mark.byteOffset))
    }

    @Test("what was written can be read back, and private")
    func readBack() throws {
        let fixture = try Fixture()
        let run = Fixture.run("read")
        try fixture.open(run).append(Fixture.record(7), actor: .human(userID: 12))
        let parent = try fixture.directory("bailey/runs/r_read")
        let lines = try JournalReader.lines(.run(run), in: parent)
        let line = try #require(lines.first)
        #expect(lines.count == 1 && line.actor == "human:12" && line.type == "COMMAND_EXITED")
        #expect(line.data["text"]?.stringValue == "line \"7\"\n\u{2028}ü")
        #expect(line.data["list"]?.arrayValue?[2]["size"]?.unsignedValue == .max)
        for name in ["journal/journal.jsonl", "journal/head"] {
            #expect(try parent.status(Array(name.utf8)).mode == 0o600)
        }
        #expect(try parent.status(Array("journal".utf8)).mode == 0o700)
    }

    @Test("appends from eight threads are gapless, each call's lines together and in its thread's order")
    func groupCommit() throws {
        let fixture = try Fixture()
        let run = Fixture.run("threads")
        let writer = try fixture.open(run)
        let perThread = 40
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            for index in 0..<perThread {
                let value = Int64(thread * 1000 + index)
                let records = (0..<2).map {
                    Record(.grantIssued, ["value": .integer(value), "part": .integer(Int64($0))])
                }
                #expect(throws: Never.self) { try writer.append(records, actor: .system) }
            }
        }
        let lines = try JournalReader.lines(.run(run), in: try fixture.directory("bailey/runs/r_threads"))
        #expect(lines.map(\.sequence) == Array(1...UInt64(8 * perThread * 2)))
        for pair in stride(from: 0, to: lines.count, by: 2) {
            #expect(lines[pair].data["value"] == lines[pair + 1].data["value"])
            #expect(lines[pair + 1].data["part"]?.integerValue == 1)
        }
        for thread in 0..<8 {
            let values = lines.compactMap { $0.data["value"]?.integerValue }.filter { Int($0) / 1000 == thread }
            #expect(values == values.sorted() && values.count == perThread * 2)
        }
        #expect(try fixture.verify().isGood)
    }

    @Test(
        "nothing follows a terminal event, now or after opening again",
        arguments: [RecordType.runCompleted, .runFailed]
    )
    func terminal(type: RecordType) throws {
        let fixture = try Fixture()
        let run = Fixture.run("end")
        do {
            let writer = try fixture.open(run)
            #expect(
                journalErrorCode { try writer.append([Record(type), Fixture.record(0)], actor: .system) }
                    == .invalidRecord
            )
            try writer.append(Record(type), actor: .system)
            #expect(writer.isEnded)
            #expect(journalErrorCode { try writer.append(Fixture.record(0), actor: .system) } == .ended)
            #expect(writer.head.size == 1)
        }
        let again = try fixture.open(run)
        #expect(again.isEnded)
        #expect(journalErrorCode { try again.append(Record(.runFailed), actor: .system) } == .ended)
    }

    @Test("one journal has one writer")
    func lock() throws {
        let fixture = try Fixture()
        let run = Fixture.run("lock")
        let first = try fixture.open(run)
        #expect(journalErrorCode { try fixture.open(run) } == .locked)
        #expect(first.head.size == 0)
    }

    @Test("a waiting opener gets the lock when the other lets go")
    func lockWait() async throws {
        let fixture = try Fixture()
        let run = Fixture.run("wait")
        var first: JournalWriter? = try fixture.open(run)
        try first?.append(Fixture.record(1), actor: .system)
        let path = fixture.path("bailey/runs/r_wait")
        async let second = Task.detached {
            try JournalWriter(.run(run), in: try Directory(trustedPath: path), time: FakeTime(), lockWaitSeconds: 20)
        }.value
        try await Task.sleep(for: .milliseconds(50))
        first = nil
        #expect(try await second.head.size == 1)
    }

    @Test("a record that no reader would take is refused and leaves no trace")
    func invalidRecords() throws {
        let fixture = try Fixture()
        let run = Fixture.run("invalid")
        let writer = try fixture.open(run)
        var deep = RecordValue.null
        for _ in 0..<40 { deep = .list([deep]) }
        let long = Redactor().redact(String(repeating: "word ", count: 300_000))
        let records = [
            Record(.grantIssued, ["a": .null, "a": .null]), Record(.grantIssued, ["deep": deep]),
            Record(.grantIssued, ["long": .text(long)]),
        ]
        for record in records {
            #expect(
                journalErrorCode { try writer.append([Fixture.record(0), record], actor: .system) } == .invalidRecord
            )
        }
        let name = String(repeating: "ä", count: 60)
        #expect(journalErrorCode { try writer.append(Fixture.record(0), actor: .agent(name: name)) } == .invalidRecord)
        #expect(try fixture.bytes(fixture.journalPath(run)).isEmpty)
        try writer.append(Fixture.record(0), actor: .system)
        #expect(try fixture.verify().isGood)
    }

    @Test("a full disk poisons the writer; opening again finds a whole journal")
    func fullDisk() throws {
        let fixture = try Fixture()
        let mount = fixture.path("small")
        try fixture.make("small")
        guard geteuid() == 0, Self.mountSmall(mount) else {
            try Test.cancel("needs to mount a small file system")
        }
        defer { umount2(mount, Int32(MNT_DETACH)) }
        let run = Fixture.run("full")
        var acknowledged: UInt64 = 0
        do {
            let writer = try JournalWriter(.run(run), in: try Directory(trustedPath: mount), time: fixture.time)
            var failure: JournalError?
            while failure == nil, acknowledged < 10_000 {
                do {
                    acknowledged = try writer.append(Fixture.record(0), actor: .system).size
                } catch {
                    failure = error
                }
            }
            #expect(failure?.code == .poisoned)
            #expect(failure?.hint == "Free disk space, then start again.")
            #expect(journalErrorCode { try writer.append(Fixture.record(0), actor: .system) } == .poisoned)
            #expect(writer.head.size == acknowledged)
        }
        let again = try JournalWriter(.run(run), in: try Directory(trustedPath: mount), time: fixture.time)
        #expect(again.head.size == acknowledged && acknowledged > 10)
    }

    private static func mountSmall(_ path: String) -> Bool {
        mount("tmpfs", path, "tmpfs", 0, "size=32k,mode=700") == 0
    }

    @Test("a refused write or sync poisons the writer", arguments: ["/dev/full", "/dev/null"])
    func refusedSync(device: String) throws {
        // Writing to the first fails for want of space; the second takes bytes and cannot be synchronised.
        let file = Descriptor(owning: open(device, O_RDWR | O_CLOEXEC))
        let mark = Descriptor(owning: open("/dev/null", O_WRONLY | O_CLOEXEC))
        let chain = Chain(.run(Fixture.run("device")))
        let writer = JournalWriter(
            JournalOpening.Opened(file: LockedFile(descriptor: file), mark: mark, chain: chain, recovery: nil),
            time: FakeTime()
        )
        for _ in 0..<2 {
            #expect(journalErrorCode { try writer.append(Fixture.record(0), actor: .system) } == .poisoned)
        }
        #expect(writer.head.size == 0)
    }

    @Test(
        "a link or a file that others can write is refused",
        arguments: ["symlink", "hard link", "mode", "fifo", "directory"]
    )
    func foreignFile(kind: String) throws {
        let fixture = try Fixture()
        let run = Fixture.run("foreign")
        _ = try fixture.open(run)
        let path = fixture.path(fixture.journalPath(run))
        switch kind {
        case "symlink":
            try FileManager.default.moveItem(atPath: path, toPath: path + ".real")
            #expect(symlink("journal.jsonl.real", path) == 0)
        case "hard link": #expect(link(path, path + ".second") == 0)
        case "mode": #expect(chmod(path, 0o620) == 0)
        case "fifo":
            unlink(path)
            #expect(mkfifo(path, 0o600) == 0)
        default:
            unlink(path)
            #expect(mkdir(path, 0o700) == 0)
        }
        let code = journalErrorCode { try fixture.open(run) }
        #expect(code == .tampered || code == .system)
    }
}
