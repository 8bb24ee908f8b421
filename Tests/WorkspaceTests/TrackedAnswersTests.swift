import Domain
import Files
import Foundation
import Synchronization
import Testing
import Workspace

/// Answers about working trees that a test sets, and the questions that were asked.
final class ScriptedTracking: TrackedSource {
    struct Script {
        var tracking: [String: Tracking] = [:]
        var identity: [UInt8] = [1]
        var changed = FileTime(seconds: 0, nanoseconds: 0)
        var asked: [String] = []
    }

    let script: Mutex<Script>
    private let project: String

    init(_ bench: Bench, _ tracking: [String: Tracking]) {
        project = bench.project
        script = Mutex(Script(tracking: tracking))
    }

    func set(_ body: (inout sending Script) -> sending Void) { script.withLock(body) }

    /// What was asked since the last call, in order.
    func takeAsked() -> [String] {
        script.withLock { script in
            defer { script.asked = [] }
            return script.asked.sorted()
        }
    }

    func status(_ path: RelativePath) -> FileStatus? { try? Directory(trustedPath: project).status(path.bytes) }

    func state(of worktree: RelativePath) -> TrackingState? {
        script.withLock { TrackingState(identity: $0.identity + worktree.bytes, changed: $0.changed) }
    }

    func tracking(_ path: RelativePath, in worktree: RelativePath) -> Tracking? {
        script.withLock { script in
            let place = worktree.isRoot ? "" : "\(worktree): "
            script.asked.append(place + path.description)
            return script.tracking[path.description]
        }
    }
}

@Suite("What git said of hidden files is asked again only after a change")
struct TrackedAnswersTests {
    /// So late that everything is settled.
    private struct Tomorrow: TimeSource {
        func unixMilliseconds() -> UInt64 { MachineTime().unixMilliseconds() + 86_400_000 }
        func monotonicNanoseconds() -> UInt64 { MachineTime().monotonicNanoseconds() }
    }

    private let bench: Bench
    private let source: ScriptedTracking
    private static let all = ["a/.env", "a/.env.local", "a/b/.env"]

    init() throws {
        bench = try Bench()
        try bench.outside("mkdir -p .git a/b; printf A=1 | tee a/.env a/.env.local >a/b/.env")
        source = ScriptedTracking(bench, ["a/.env": .unchanged, "a/.env.local": .absent, "a/b/.env": .changed])
    }

    /// The hidden files of a walk.
    private func walk(_ time: any TimeSource = Tomorrow()) throws -> [String] {
        try Workspace(bench.stored, stateDirectory: bench.state, limits: ResourceLimits(), time: time)
            .prepare(.copy(reason: nil), tracked: source).hidden.map(\.description).filter { $0 != ".bailey" }.sorted()
    }

    @Test func nothingIsAskedTwice() throws {
        #expect(try walk() == ["a/.env.local", "a/b/.env"])
        #expect(source.takeAsked() == Self.all)
        for _ in 0..<2 {
            #expect(try walk() == ["a/.env.local", "a/b/.env"])
            #expect(source.takeAsked() == [])
        }
    }

    @Test func anotherStateOfTheWorkingTreeAsksAll() throws {
        _ = try walk()
        _ = source.takeAsked()
        source.set {
            $0.identity = [2]
            $0.tracking = ["a/.env": .absent, "a/.env.local": .unchanged, "a/b/.env": .absent]
        }
        #expect(try walk() == ["a/.env", "a/b/.env"])
        #expect(source.takeAsked() == Self.all)
        #expect(try walk() == ["a/.env", "a/b/.env"])
        #expect(source.takeAsked() == [])
    }

    @Test(
        "bytes that were compared are compared again once the file changed",
        arguments: [
            "printf B=2 >a/b/.env; printf B=2 >a/.env", "touch -d 2020-01-01 a/.env a/b/.env",
            "chmod 600 a/.env a/b/.env", "ln a/.env x; rm x; ln a/b/.env x; rm x",
        ]
    )
    func changedFiles(script: String) throws {
        _ = try walk()
        _ = source.takeAsked()
        try bench.outside(script)
        source.set { $0.tracking = ["a/.env": .changed, "a/b/.env": .unchanged] }
        #expect(try walk() == ["a/.env", "a/.env.local"])
        #expect(source.takeAsked() == ["a/.env", "a/b/.env"])
    }

    @Test func whatMayStillChangeIsNotKept() throws {
        source.set { $0.changed = FileTime(seconds: .max, nanoseconds: 0) }
        for _ in 0..<2 {
            _ = try walk()
            #expect(source.takeAsked() == Self.all)
        }
        source.set { $0.changed = FileTime(seconds: 0, nanoseconds: 0) }
        try bench.outside("sleep 2.1; printf A=1 | tee a/.env >a/b/.env")
        // Two files changed just now, their directories did not: only what no content can change is kept.
        for asked in [Self.all, ["a/.env", "a/b/.env"]] {
            _ = try walk(MachineTime())
            #expect(source.takeAsked() == asked)
        }
    }

    @Test func doubtHidesAndIsAskedAgain() throws {
        source.set { $0.tracking = [:] }
        for _ in 0..<2 {
            #expect(try walk() == Self.all)
            #expect(source.takeAsked() == Self.all)
        }
    }

    @Test func theNearestWorkingTreeIsAsked() throws {
        _ = try walk()
        _ = source.takeAsked()
        try bench.outside("mkdir a/.git")
        #expect(try walk() == ["a/.env.local", "a/b/.env"])
        #expect(source.takeAsked() == Self.all.map { "a: " + $0 })
        try bench.outside("rmdir .git a/.git")
        #expect(try walk() == Self.all)
        #expect(source.takeAsked() == [])
        try bench.outside("mkdir .git")
        #expect(try walk() == ["a/.env.local", "a/b/.env"])
        #expect(source.takeAsked() == Self.all)
    }
}
