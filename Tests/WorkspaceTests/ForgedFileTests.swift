import Crypto
import Domain
import Foundation
import TestSupport
import Testing
import Workspace

/// A foreign hand in a run's directory: it can write everything there, and knows everything but the key.
@Suite("A stored file that Bailey did not write for this run is refused")
struct ForgedFileTests {
    /// A run that was killed just before its first operation, and somebody's home.
    private struct Scene {
        let bench: Bench
        let victim: TemporaryDirectory
        let digest: Domain.Digest

        init(number: Int = 1, victim: TemporaryDirectory? = nil) async throws {
            let victim = try victim ?? TemporaryDirectory("bailey-victim")
            let bench = try Bench(number: number)
            try bench.outside("printf a >f; printf old >'\(victim.path)/.bashrc'")
            let plan = try bench.prepare(.copy(reason: nil))
            try bench.inside(plan, "echo b >f; echo evil >.bashrc")
            let set = try plan.listChanges(limits: ResourceLimits())
            try WorkspacePlan.storeChanges(set, in: bench.stored)
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [root = bench.root as String, number = number as Int] in
                let bench = try Bench(existing: root, number: number)
                let plan = try WorkspacePlan.load(bench.stored)
                guard let set = try WorkspacePlan.loadChanges(bench.stored) else { exit(3) }
                try bench.perform(set, plan) { point in
                    if point.description == "intent written" { kill(getpid(), SIGKILL) }
                }
            }
            (self.bench, self.victim, digest) = (bench, victim, set.digest)
        }

        func path(_ name: String) -> URL { URL(fileURLWithPath: bench.run + "/workspace/" + name) }

        /// Replaces text of the same length, and makes an unkeyed hash at the end fit.
        func forge(_ name: String, _ old: [UInt8], _ new: [UInt8]) throws {
            var body = Data(try Data(contentsOf: path(name)).dropLast(32))
            let range = try #require(body.range(of: Data(old)), "\(name) holds nothing to forge")
            body.replaceSubrange(range, with: new)
            try (body + Data(SHA256.hash(data: body))).write(to: path(name))
        }

        func expectRefused(_ what: String) throws {
            let error = #expect(throws: WorkspaceError.self, "\(what)") {
                try bench.apply().recover(applying: digest)
            }
            #expect(error?.code == .damaged, "\(what): \(String(describing: error))")
            #expect(try bench.picture() == ["f file 644 false a"], "\(what)")
            #expect(try Bench.picture(of: victim.path) == [".bashrc file 644 false old"], "\(what)")
        }
    }

    private static func little(_ value: UInt64) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }

    private static func inode(_ path: String) throws -> UInt64 {
        try #require(try FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? UInt64)
    }

    @Test("a plan and an index that lead elsewhere are refused")
    func leadingElsewhere() async throws {
        let scene = try await Scene()
        // A link of the same length as the project's path stands for any place.
        var elsewhere = scene.bench.root + "/"
        elsewhere += String(repeating: "x", count: scene.bench.project.utf8.count - elsewhere.utf8.count)
        try FileManager.default.createSymbolicLink(atPath: elsewhere, withDestinationPath: scene.victim.path)
        try scene.forge("plan", Array(scene.bench.project.utf8), Array(elsewhere.utf8))
        try scene.forge(
            "index0",
            Self.little(try Self.inode(scene.bench.project)),
            Self.little(try Self.inode(scene.victim.path))
        )
        try scene.expectRefused("plan and index")
    }

    @Test("one byte in any of them is enough, with its hash made to fit", arguments: ["plan", "index0", "manifest0"])
    func anyByte(_ name: String) async throws {
        let scene = try await Scene()
        let byte = try Data(contentsOf: scene.path(name))[20]
        try scene.forge(name, [byte], [byte ^ 1])
        try scene.expectRefused(name)
    }

    @Test("an intent that names another file is refused")
    func intent() async throws {
        let scene = try await Scene()
        try scene.forge("intent", Array(".bashrc".utf8), Array(".zshenv".utf8))
        try scene.expectRefused("intent")
    }

    @Test("an end that was not reached is refused")
    func applied() async throws {
        let scene = try await Scene()
        try FileManager.default.moveItem(at: scene.path("intent"), to: scene.path("applied"))
        try scene.forge("applied", Array(".bashrc".utf8), Array(".zshenv".utf8))
        try scene.expectRefused("applied")
        #expect(FileManager.default.fileExists(atPath: scene.path("tree0").path))
    }

    @Test("an intent that the journal knows nothing of is refused")
    func unknownToTheJournal() async throws {
        let scene = try await Scene()
        for digest in [nil, Domain.Digest([UInt8](repeating: 1, count: 32))] {
            let error = #expect(throws: WorkspaceError.self) { try scene.bench.apply().recover(applying: digest) }
            #expect(error?.code == .damaged)
        }
        #expect(try scene.bench.picture() == ["f file 644 false a"])
        #expect(try scene.bench.recover() == .finished)
    }

    @Test("the files of another run are refused", arguments: ["plan", "changes", "intent", "manifest0"])
    func ofAnotherRun(_ name: String) async throws {
        let scene = try await Scene()
        let other = try await Scene(number: 2, victim: scene.victim)
        try FileManager.default.removeItem(at: scene.path(name))
        try FileManager.default.copyItem(at: other.path(name), to: scene.path(name))
        if name == "changes" {
            let error = #expect(throws: WorkspaceError.self) { try WorkspacePlan.loadChanges(scene.bench.stored) }
            #expect(error?.code == .damaged)
        } else {
            try scene.expectRefused(name)
        }
    }

    @Test("a file of one kind does not pass for another")
    func ofAnotherKind() async throws {
        let scene = try await Scene()
        try FileManager.default.removeItem(at: scene.path("intent"))
        try FileManager.default.copyItem(at: scene.path("changes"), to: scene.path("intent"))
        try scene.expectRefused("intent")
    }

    @Test("an older index of the same project is refused")
    func olderIndex() throws {
        let bench = try Bench()
        try bench.outside("echo a >f")
        _ = try bench.prepare(.copy(reason: nil))
        let index = URL(fileURLWithPath: bench.run + "/workspace/index0")
        let older = try Data(contentsOf: index)
        try bench.outside("mkdir d; echo KEY=v >d/.env; sleep 0.02")
        _ = try bench.prepare(.copy(reason: nil))
        _ = try WorkspacePlan.load(bench.stored)
        try FileManager.default.removeItem(at: index)
        try older.write(to: index)
        let error = #expect(throws: WorkspaceError.self) { try WorkspacePlan.load(bench.stored) }
        #expect(error?.code == .damaged)
    }

    @Test("a plan of another project is refused")
    func ofAnotherProject() throws {
        let bench = try Bench()
        _ = try bench.prepare(.copy(reason: nil))
        let moved = StoredRun(run: bench.runID, project: bench.root, runDirectory: bench.run, seal: Bench.seal)
        let error = #expect(throws: WorkspaceError.self) { try WorkspacePlan.load(moved) }
        #expect(error?.code == .damaged)
    }

    @Test("what waits to be placed and was written to since is not placed")
    func stagedContent() async throws {
        let scene = try await Scene()
        let staged = scene.bench.run + "/workspace/apply/tree0/new"
        try Bench.shell(
            "for f in *; do s=$(stat -c %s $f); touch -r $f ../t; printf worse >$f; truncate -s $s $f; "
                + "touch -r ../t $f; done; rm ../t",
            in: staged
        )
        guard case .rolledBack = try scene.bench.recover() else {
            Issue.record("what somebody wrote there was placed")
            return
        }
        #expect(try scene.bench.picture() == ["f file 644 false a"])
    }
}
