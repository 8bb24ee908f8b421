import Domain
import Files
import Foundation
import TestSupport
import Testing

@testable import Journal

/// Many threads append while their process is killed at a random moment: whoever was told that a line is durable finds
/// it again.
@Suite("a killed writer's acknowledged lines are all there")
struct KilledWriterTests {
    private static let threads = 4
    private static let rounds = 10

    /// Appends for ever from several threads, and tells of each line in a file of its own, until the process is killed.
    private static func append(in root: String, killedAfterMicroseconds: UInt32) throws {
        let parent = try Directory(trustedPath: root + "/run")
        let writer = try JournalWriter(.run(Fixture.run("killed")), in: parent, time: FakeTime())
        let told = open(root + "/told", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        for _ in 0..<threads {
            Thread.detachNewThread {
                while let head = try? writer.append(Fixture.record(1), actor: .system) {
                    let line = "\(head.size) \(head.leaf.hex)\n"
                    _ = line.withCString { write(told, $0, strlen($0)) }
                }
            }
        }
        usleep(killedAfterMicroseconds)
        kill(getpid(), SIGKILL)
    }

    @Test func everyRound() async throws {
        for round in 0..<Self.rounds {
            let directory = try TemporaryDirectory("bailey-killed")
            try FileManager.default.createDirectory(atPath: directory.path + "/run", withIntermediateDirectories: true)
            let pause = UInt32.random(in: 0..<60_000)
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [root = directory.path as String, pause = pause as UInt32] in
                try Self.append(in: root, killedAfterMicroseconds: pause)
            }
            let told = try directory.read("told").split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            var leaves: [String] = []
            let parent = try Directory(trustedPath: directory.path + "/run")
            let run = JournalSubject.run(Fixture.run("killed"))
            let writer = try JournalWriter(run, in: parent, time: FakeTime(), lockWaitSeconds: 0) {
                leaves.append($0.leaf.hex)
            }
            for line in told {
                let parts = line.split(separator: " ")
                let number = try #require(Int(parts[0]))
                #expect(number <= leaves.count, "round \(round), \(pause) us: line \(number) of \(leaves.count)")
                if number <= leaves.count { #expect(leaves[number - 1] == parts[1]) }
            }
            #expect(writer.head.size == UInt64(leaves.count))
            #expect(try writer.append(Fixture.record(2), actor: .system).size == UInt64(leaves.count) + 1)
        }
    }
}
