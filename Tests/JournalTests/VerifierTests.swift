import Domain
import Files
import Foundation
import Redaction
import TestSupport
import Testing

@testable import Journal

@Suite("verifying a project")
struct VerifierTests {
    @Test("a good project is good: ended, paused, open, pruned and empty runs")
    func good() throws {
        let fixture = try Fixture()
        try fixture.finishedRun("ended")
        let paused = Fixture.run("paused")
        do {
            let writer = try fixture.open(paused)
            try writer.append(Fixture.record(0), actor: .system)
            try fixture.openAuthority().recordHead(of: paused, writer.head, actor: .system)
            try writer.append(Fixture.record(1), actor: .system)
            try fixture.openAuthority().recordHead(of: paused, writer.head, actor: .system)
            try writer.append(Fixture.record(2), actor: .system)
        }
        _ = try fixture.open(Fixture.run("empty"))
        try fixture.finishedRun("pruned")
        try fixture.openAuthority().recordPruned(Fixture.run("pruned"), actor: .human(userID: 1))
        try FileManager.default.removeItem(atPath: fixture.path("bailey/runs/r_pruned"))
        let report = try fixture.verify()
        #expect(report.isGood && report.findings.isEmpty && report.isSignatureVerified)
        #expect(report.runs == 3 && report.openRuns == 2 && report.lines == 4 + 3 + 5)
        #expect(try fixture.verify(only: paused).runs == 1)
        #expect(try fixture.verify(only: Fixture.run("none")).firstBadLines == ["r_none": 0])
    }

    @Test(
        "what was done to a run is found, at its line",
        arguments: [
            "truncate", "drop last", "delete line", "swap", "duplicate", "rewrite", "remove run", "remove journal",
            "replace by other", "append", "link",
        ]
    )
    func tampered(kind: String) throws {
        let fixture = try Fixture()
        try fixture.finishedRun("a", lines: 4)
        try fixture.finishedRun("b", lines: 4)
        let path = fixture.journalPath(Fixture.run("a"))
        let bytes = try fixture.bytes(path)
        var lines = bytes.split(separator: 0x0A).map { Array($0) + [0x0A] }
        var expected: [String: UInt64] = [:]
        switch kind {
        case "truncate":
            lines[4].removeLast(9)
            expected = ["r_a": 5]
        case "drop last":
            lines.removeLast()
            expected = ["r_a": 5]
        case "delete line":
            lines.remove(at: 1)
            expected = ["r_a": 2]
        case "swap":
            lines.swapAt(1, 2)
            expected = ["r_a": 2]
        case "duplicate":
            lines.insert(lines[2], at: 3)
            expected = ["r_a": 4]
        case "rewrite":
            // A whole chain of one's own, with a mark that fits: only the authority's head tells.
            try FileManager.default.removeItem(atPath: fixture.path("bailey/runs/r_a"))
            let writer = try fixture.open(Fixture.run("a"))
            for _ in 0..<4 { try writer.append(Fixture.record(99), actor: .system) }
            try writer.append(Record(.runCompleted), actor: .system)
            #expect(try fixture.verify().firstBadLines == ["r_a": 5])
            return
        case "remove run":
            try FileManager.default.removeItem(atPath: fixture.path("bailey/runs/r_a"))
            #expect(try fixture.verify().firstBadLines == ["r_a": 0])
            return
        case "remove journal":
            try FileManager.default.removeItem(atPath: fixture.path("bailey/runs/r_a/journal"))
            #expect(try fixture.verify().firstBadLines == ["r_a": 1])
            return
        case "replace by other":
            try fixture.write(try fixture.bytes(fixture.journalPath(Fixture.run("b"))), path)
            #expect(try fixture.verify().firstBadLines == ["r_a": 1])
            return
        case "link":
            try FileManager.default.moveItem(atPath: fixture.path("bailey/runs/r_a"), toPath: fixture.path("elsewhere"))
            #expect(symlink(fixture.path("elsewhere"), fixture.path("bailey/runs/r_a")) == 0)
            #expect(try fixture.verify().firstBadLines == ["r_a": 0])
            return
        default:
            lines.append(lines[4])
            expected = ["r_a": 6]
        }
        try fixture.write(lines.flatMap { $0 }, path)
        #expect(try fixture.verify().firstBadLines == expected)
    }

    @Test(
        "the authority's journal and its checkpoint vouch for each other",
        arguments: [
            "checkpoint gone", "journal gone", "other key", "older", "flip", "other project", "journal cut", "all gone",
            "note grown",
        ]
    )
    func authority(kind: String) throws {
        let fixture = try Fixture()
        try fixture.finishedRun("a")
        let older = try fixture.bytes("bailey/authority/checkpoint")
        let olderMark = try fixture.bytes("bailey/authority/head")
        try fixture.finishedRun("b")
        let note = try fixture.bytes("bailey/authority/checkpoint")
        var expected: [String: UInt64]? = ["checkpoint": 0]
        var refusesToOpen = true
        switch kind {
        case "checkpoint gone": unlink(fixture.path("bailey/authority/checkpoint"))
        case "journal gone":
            unlink(fixture.path("bailey/authority/journal.jsonl"))
            expected = ["authority": 1]
        case "other key":
            unlink(fixture.path("state/signing.key"))
            unlink(fixture.path("state/signing.pub"))
            _ = try SigningKey(stateDirectory: try fixture.directory("state"))
        case "older":
            // What a crash between append and checkpoint leaves: the journal extends what was signed.
            try fixture.write(older, "bailey/authority/checkpoint")
            expected = nil
            refusesToOpen = false
        case "flip":
            var bytes = note
            bytes[30] = bytes[30] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            try fixture.write(bytes, "bailey/authority/checkpoint")
        case "other project":
            let other = try Fixture()
            try other.finishedRun("a")
            try fixture.write(try other.bytes("bailey/authority/checkpoint"), "bailey/authority/checkpoint")
        case "journal cut":
            let lines = try fixture.bytes("bailey/authority/journal.jsonl").split(separator: 0x0A)
            try fixture.write(lines[0] + [0x0A], "bailey/authority/journal.jsonl")
            try fixture.write(olderMark, "bailey/authority/head")
        case "note grown": try fixture.write(note + Array("x\n".utf8), "bailey/authority/checkpoint")
        default:
            // Nothing is left to contradict: documented, the answer is an anchor outside.
            try FileManager.default.removeItem(atPath: fixture.path("bailey/authority"))
            #expect(try fixture.verify().isGood)
            #expect(try fixture.verify().findings.map(\.level) == [.notice, .notice])
            return
        }
        let report = try fixture.verify()
        if let expected {
            #expect(report.firstBadLines == expected)
        } else {
            #expect(report.isGood)
        }
        let code = journalErrorCode { try fixture.openAuthority() }
        #expect(code == (refusesToOpen ? .tampered : nil))
    }

    @Test("openssl agrees with the checkpoint's signature and a stranger's key does not pass")
    func signature() throws {
        let fixture = try Fixture()
        try fixture.finishedRun("a")
        let note = try fixture.bytes("bailey/authority/checkpoint")
        try fixture.make("stranger")
        let stranger = try SigningKey(stateDirectory: try fixture.directory("stranger")).verifyingKey
        #expect(throws: CheckpointFault.self) { try Checkpoint(note, key: stranger) }
        let key = try #require(try VerifyingKey.load(stateDirectory: try fixture.directory("state")))
        let checkpoint = try Checkpoint(note, key: key)
        #expect(checkpoint.origin == "bailey/p_test" && checkpoint.size == 1)
        let text = String(decoding: note, as: UTF8.self)
        let signature = try #require(Base64.decode(text.split(separator: " ").last?.dropLast() ?? ""))
        try fixture.write(Array(checkpoint.body.utf8), "body")
        try fixture.write(signature[4...], "signature")
        let arguments = [
            "pkeyutl", "-verify", "-pubin", "-rawin", "-inkey", "state/signing.pub", "-in", "body", "-sigfile",
            "signature",
        ]
        guard let status = try? run("openssl", arguments, in: fixture.temporary.path).status, status != 127 else {
            try Test.cancel("openssl is not installed")
        }
        #expect(status == 0)
    }

    @Test("processes that end runs at once wait for each other")
    func concurrentHeads() throws {
        let fixture = try Fixture()
        let key = try SigningKey(stateDirectory: try fixture.directory("state"))
        let path = fixture.path("bailey"), project = fixture.project
        DispatchQueue.concurrentPerform(iterations: 6) { index in
            #expect(throws: Never.self) {
                let bailey = try Directory(trustedPath: path)
                let authority = try AuthorityJournal(in: bailey, project: project, key: key, time: FakeTime())
                try authority.recordPruned(Fixture.run("p\(index)"), actor: .system)
            }
        }
        let report = try fixture.verify()
        #expect(report.isGood && report.lines == 6)
    }
}

/// Runs a program to its end; status 127 where it does not exist.
func run(_ program: String, _ arguments: [String], in directory: String, path: String? = nil) throws -> (
    status: Int32, output: String
) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [program] + arguments
    process.currentDirectoryURL = URL(fileURLWithPath: directory)
    if let path { process.environment = ["PATH": path] }
    let pipe = Pipe()
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return (process.terminationStatus, String(decoding: output, as: UTF8.self))
}
