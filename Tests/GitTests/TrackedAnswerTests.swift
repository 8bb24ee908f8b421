import Domain
import Files
import Foundation
import Git
import TestSupport
import Testing
import Workspace

/// The kept answers are those of a real repository, whatever is done to it between two walks.
@Suite("A stored answer of git's index never outlives what it rests on")
struct TrackedAnswerTests {
    private struct Tomorrow: TimeSource {
        func unixMilliseconds() -> UInt64 { UInt64(Date().timeIntervalSince1970 * 1000) + 86_400_000 }
        func monotonicNanoseconds() -> UInt64 { DispatchTime.now().uptimeNanoseconds }
    }

    private func hidden(_ fixture: GitFixture) throws -> [String] {
        let state = fixture.directory.path + "/state"
        let run = fixture.directory.path + "/run"
        for path in [state, run] { try fixture.make(path) }
        let seal = StoredSeal { bytes in
            var value: UInt64 = 14_695_981_039_346_656_037
            for byte in bytes { value = (value ^ UInt64(byte)) &* 1_099_511_628_211 }
            guard let tag = Digest((0..<32).map { UInt8(truncatingIfNeeded: value >> ($0 % 8 * 8)) }) else {
                preconditionFailure("32 bytes are a digest")
            }
            return tag
        }
        let stored = StoredRun(
            run: RunID(unchecked: "r_0000000001"),
            project: fixture.lower,
            runDirectory: run,
            seal: seal
        )
        // A copy, because an overlay cannot be mounted everywhere.
        return try Workspace(stored, stateDirectory: state, limits: ResourceLimits(), time: Tomorrow())
            .prepare(.copy(reason: nil), tracked: TrackedFiles(projectPath: fixture.lower)).hidden
            .map(\.description).sorted()
    }

    @Test(arguments: [
        (":", [".env.local"]),
        ("git status", [".env.local"]),
        ("git rm -q --cached .env", [".env", ".env.local"]),
        ("git add -f .env.local", []),
        ("printf A=2 >.env; touch -d 2020-01-01 .env", [".env", ".env.local"]),
        ("cp .env x; cat x >.env; rm x", [".env.local"]),
        ("printf A=1 >x; mv x .env", [".env.local"]),
        ("printf A=3 >x; touch -r .env x; mv x .env", [".env", ".env.local"]),
        ("rm .env; ln -s one.txt .env", [".env", ".env.local"]),
        ("git init -q inner", [".env.local", "inner/.env"]),
        ("git init -q inner; git -C inner add .env; rm -rf inner/.git", [".env.local"]),
        ("rm -rf .git; git init -q .", [".env", ".env.local", "inner/.env"]),
        ("rm .git/index", [".env", ".env.local", "inner/.env"]),
        ("rm -rf .git", [".env", ".env.local", "inner/.env"]),
        ("git config extensions.objectformat md5", [".env", ".env.local", "inner/.env"]),
        ("mv .git ../g; echo gitdir: ../g >.git", [".env.local"]),
        ("cp -a .git ../g; rm ../g/index; rm -rf .git; echo gitdir: ../g >.git", [".env", ".env.local", "inner/.env"]),
        ("echo ../other >.git/commondir", [".env", ".env.local", "inner/.env"]),
        ("git update-index --split-index", [".env", ".env.local", "inner/.env"]),
    ])
    func afterAChange(script: String, expected: [String]) throws {
        let fixture = try GitFixture()
        for name in [".env", ".env.local", "inner/.env"] { try fixture.write("A=1", to: name) }
        try fixture.git(["add", "-f", ".env", "inner/.env"], in: fixture.lower)
        for _ in 0..<2 { #expect(try hidden(fixture) == [".env.local"]) }
        try fixture.run(["sh", "-euc", script], in: fixture.lower)
        for _ in 0..<2 { #expect(try hidden(fixture) == expected) }
    }

    @Test func theStateIsTheSameUntilSomethingChanges() throws {
        let fixture = try GitFixture()
        let first = try #require(TrackedFiles(projectPath: fixture.lower).state(of: .root))
        #expect(TrackedFiles(projectPath: fixture.lower).state(of: .root) == first)
        // A lock file comes and goes with most commands, and is in no answer.
        try fixture.run(["sh", "-euc", "touch .git/x.lock; rm .git/x.lock"], in: fixture.lower)
        #expect(TrackedFiles(projectPath: fixture.lower).state(of: .root) == first)
        for script in ["touch .git/index", "touch .git/config", "echo . >.git/commondir", "mv .git g; mkdir .git"] {
            let before = TrackedFiles(projectPath: fixture.lower).state(of: .root)
            try fixture.run(["sh", "-euc", "sleep 0.02; " + script], in: fixture.lower)
            #expect(TrackedFiles(projectPath: fixture.lower).state(of: .root) != before, "\(script)")
        }
    }
}
