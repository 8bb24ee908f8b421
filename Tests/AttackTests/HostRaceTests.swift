import Foundation
import TestSupport
import Testing

/// The host's side moves while Bailey looks and applies: whatever the moment, nothing outside the project is touched.
@Suite("a project that is swapped during a run never leads outside", .serialized)
struct HostRaceTests {
    private static let rounds = 3

    /// Swaps a directory for a link to `target` and back, until told to stop.
    private final class Swapper {
        private let isDone = DispatchSemaphore(value: 0)
        private var thread: Thread?

        init(_ directory: String, target: String) {
            let isDone = isDone
            let thread = Thread {
                var turn = 0
                while isDone.wait(timeout: .now()) == .timedOut {
                    turn += 1
                    rename(directory, directory + ".moved")
                    symlink(target, directory)
                    usleep(UInt32(turn % 60) * 20)
                    unlink(directory)
                    rename(directory + ".moved", directory)
                    usleep(UInt32(turn % 250) * 20)
                }
            }
            self.thread = thread
            thread.start()
        }

        func stop() {
            isDone.signal()
            while thread?.isFinished == false { usleep(1000) }
        }
    }

    @Test("a directory of it", arguments: TestIdentity.available)
    func directory(_ identity: TestIdentity) throws {
        let yard = try AttackYard(identity)
        defer { yard.remove() }
        let make = "mkdir -p d/e && for i in 1 2 3 4 5 6 7 8; do echo x > d/e/$i; done"
        #expect(try yard.outside(["/bin/sh", "-c", make], in: yard.project).status == 0)
        let before = try yard.listing(yard.canary)
        let write =
            "for i in 1 2 3 4 5 6 7 8; do echo y > d/e/$i; echo n > d/e/n$i; done; mkdir -p d/new; echo z > d/new/f"
        for _ in 0..<Self.rounds {
            let swapper = Swapper(yard.project + "/d", target: yard.canary)
            _ = try yard.wall(["/bin/sh", "-c", write], in: yard.project, options: ["--apply", "auto"])
            _ = try yard.outside([yard.bailey, "changes", "apply", "last"], in: yard.project)
            swapper.stop()
        }
        #expect(try yard.listing(yard.canary) == before)
        let verified = try yard.outside([yard.bailey, "journal", "verify"], in: yard.project)
        #expect(verified.status == 0, "\(verified.summary)")
    }

    @Test("its root", arguments: TestIdentity.available)
    func root(_ identity: TestIdentity) throws {
        let yard = try AttackYard(identity)
        defer { yard.remove() }
        let before = try yard.listing(yard.canary)
        let swap = "sleep 1; mv \"$1\" \"$1.moved\" && ln -s \"$2\" \"$1\""
        let swapper = Process()
        let words = identity.prefix + ["/bin/sh", "-c", swap, "sh", yard.project, yard.canary]
        swapper.executableURL = URL(fileURLWithPath: words[0])
        swapper.arguments = Array(words.dropFirst())
        try swapper.run()
        let write = ["/bin/sh", "-c", "sleep 2; echo planted > planted.txt; echo more >> notes.txt"]
        let result = try yard.wall(write, in: yard.project, options: ["--apply", "auto"])
        swapper.waitUntilExit()
        #expect(try yard.listing(yard.canary) == before, "\(result.summary)")
        #expect(!FileManager.default.fileExists(atPath: yard.canary + "/planted.txt"))
    }
}
