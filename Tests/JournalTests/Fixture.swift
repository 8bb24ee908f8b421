import Domain
import Files
import Foundation
import Journal
import Redaction
import TestSupport

/// Time that stands still until a test moves it; waiting makes it pass.
final class FakeTime: TimeSource {
    func unixMilliseconds() -> UInt64 { 1_800_000_000_000 }
    func monotonicNanoseconds() -> UInt64 { DispatchTime.now().uptimeNanoseconds }
}

/// A project's `.bailey` and a state directory, made by the product itself.
final class Fixture {
    let temporary: TemporaryDirectory
    let project = ProjectID(unchecked: "p_test")
    let time = FakeTime()

    /// In memory if asked for and possible, for tests that make thousands of files and do not care for the disk.
    init(inMemory: Bool = false) throws {
        let memory = "/dev/shm"
        if inMemory, access(memory, W_OK) == 0 {
            temporary = try TemporaryDirectory("bailey-journal", in: memory)
        } else {
            temporary = try TemporaryDirectory("bailey-journal")
        }
        for name in ["state", "bailey", "bailey/runs"] { try make(name) }
    }

    func make(_ name: String) throws {
        try FileManager.default.createDirectory(
            atPath: path(name),
            withIntermediateDirectories: true,
            attributes: [.posixPermissions: 0o700]
        )
    }

    func path(_ name: String) -> String { temporary.path + "/" + name }
    func directory(_ name: String) throws -> Directory { try Directory(trustedPath: path(name)) }

    func bytes(_ name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path(name)))) }
    func write(_ bytes: some Sequence<UInt8>, _ name: String) throws {
        try Data(Array(bytes)).write(to: URL(fileURLWithPath: path(name)))
    }

    static func run(_ name: String) -> RunID { RunID(unchecked: "r_" + name) }

    func journalPath(_ run: RunID) -> String { "bailey/runs/\(run.rawValue)/journal/journal.jsonl" }
    func markPath(_ run: RunID) -> String { "bailey/runs/\(run.rawValue)/journal/head" }

    func open(_ run: RunID, lockWaitSeconds: UInt64 = 0) throws -> JournalWriter {
        try make("bailey/runs/" + run.rawValue)
        let parent = try directory("bailey/runs/" + run.rawValue)
        return try JournalWriter(.run(run), in: parent, time: time, lockWaitSeconds: lockWaitSeconds)
    }

    func openAuthority() throws -> AuthorityJournal {
        let key = try SigningKey(stateDirectory: try directory("state"))
        return try AuthorityJournal(in: try directory("bailey"), project: project, key: key, time: time)
    }

    /// A run with some lines and its end, and its head with the authority.
    @discardableResult
    func finishedRun(_ name: String, lines: Int = 3) throws -> JournalHead {
        let run = Self.run(name)
        let writer = try open(run)
        for index in 0..<lines { try writer.append(Self.record(index), actor: .human(userID: 1000)) }
        let head = try writer.append(Record(.runCompleted), actor: .system)
        try openAuthority().recordHead(of: run, head, actor: .system)
        return head
    }

    static func record(_ index: Int) -> Record {
        Record(
            .commandExited,
            [
                "index": .integer(Int64(index)), "text": .text(Redactor().redact("line \"\(index)\"\n\u{2028}ü")),
                "list": .list([.flag(true), .null, .object([("size", .unsigned(.max))])]),
            ]
        )
    }

    func verify(only run: RunID? = nil) throws -> VerificationReport {
        let key = try VerifyingKey.load(stateDirectory: try directory("state"))
        return try ProjectVerifier.verify(bailey: try directory("bailey"), project: project, key: key, only: run)
    }

    /// A copy of `bailey/` under another name, to be damaged.
    func copyProject(to name: String) throws {
        try FileManager.default.copyItem(atPath: path("bailey"), toPath: path(name))
    }

    func verify(copy name: String) throws -> VerificationReport {
        let key = try VerifyingKey.load(stateDirectory: try directory("state"))
        return try ProjectVerifier.verify(bailey: try directory(name), project: nil, key: key)
    }
}

/// Numbers that look random and are the same in every run of a test.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}

/// The code of the journal error that `body` throws; nil if it throws none.
func journalErrorCode<Result: ~Copyable>(_ body: () throws -> Result) -> JournalError.Code? {
    do {
        _ = try body()
        return nil
    } catch {
        return (error as? JournalError)?.code
    }
}
