import Domain
import Foundation
import Git
import TestSupport
import Testing

@Suite("the git index is parsed with bounds")
struct GitIndexTests {
    private func read(_ fixture: GitFixture) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: fixture.lower + "/.git/index")))
    }

    private func listing(_ index: GitIndex) -> String {
        index.entries.map { entry in
            let mode = String(entry.mode, radix: 8)
            return "\(mode) \(Hex.encode(entry.object)) \(entry.stage)\t" + String(decoding: entry.path, as: UTF8.self)
                + "\0"
        }.joined()
    }

    @Test("what git lists is what is read", arguments: ["2", "3", "4"], [ObjectFormat.sha1, .sha256])
    func agreesWithGit(_ version: String, _ format: ObjectFormat) throws {
        let fixture = try GitFixture(format: format.rawValue)
        for number in 0..<60 { try fixture.write("\(number)", to: "deep/er/and/er/file-\(number).txt") }
        try fixture.write("x", to: String(repeating: "long", count: 40) + "/" + String(repeating: "n", count: 200))
        try fixture.run(["ln", "-s", "one.txt", "link"], in: fixture.lower)
        try fixture.run(["chmod", "+x", "one.txt"], in: fixture.lower)
        try fixture.git(["add", "-A"], in: fixture.lower)
        try fixture.git(["update-index", "--index-version", version], in: fixture.lower)
        if version == "3" {
            try fixture.write("later", to: "later.txt")
            try fixture.git(["add", "-N", "later.txt"], in: fixture.lower)
            try fixture.git(["update-index", "--skip-worktree", "sub/two.txt"], in: fixture.lower)
        }
        try fixture.git(["update-index", "--assume-unchanged", "one.txt"], in: fixture.lower)
        let index = try GitIndex(read(fixture), format: format)
        #expect(index.version == UInt32(version))
        #expect(listing(index) == (try fixture.git(["ls-files", "-s", "-z"], in: fixture.lower)))
        #expect(index.entries.first { $0.path == Array("one.txt".utf8) }?.assumesValid == true)
        #expect(index.entries.contains { $0.intendsToAdd } == (version == "3"))
        #expect(index.entries.contains { $0.skipsWorktree } == (version == "3"))
    }

    @Test func conflictsHaveStages() throws {
        let fixture = try GitFixture()
        for command in [
            ["git", "checkout", "-q", "-b", "topic"], ["sh", "-c", "echo other > one.txt"],
            ["git", "commit", "-q", "-a", "-m", "t"],
            ["git", "checkout", "-q", "main"], ["sh", "-c", "echo mine > one.txt"],
            ["git", "commit", "-q", "-a", "-m", "m"],
        ] { try fixture.run(command, in: fixture.lower) }
        try fixture.git(["merge", "topic"], in: fixture.lower, allowsFailure: true)
        let index = try GitIndex(read(fixture), format: .sha1)
        #expect(index.entries.map(\.stage).sorted() == [0, 1, 2, 3])
        #expect(listing(index) == (try fixture.git(["ls-files", "-s", "-z"], in: fixture.lower)))
    }

    @Test func equivalenceIgnoresTimesAndNothingElse() throws {
        let fixture = try GitFixture()
        let first = try GitIndex(read(fixture), format: .sha1)
        try fixture.run(["touch", "-d", "2001-01-01", "one.txt"], in: fixture.lower)
        let bytes = try read(fixture)
        try fixture.git(["status"], in: fixture.lower)
        let touched = try read(fixture)
        #expect(bytes != touched)
        #expect(try GitIndex(touched, format: .sha1).isEquivalent(to: first))
        try fixture.git(["update-index", "--chmod=+x", "one.txt"], in: fixture.lower)
        #expect(try !GitIndex(read(fixture), format: .sha1).isEquivalent(to: first))
        try fixture.git(["update-index", "--chmod=-x", "--assume-unchanged", "one.txt"], in: fixture.lower)
        #expect(try !GitIndex(read(fixture), format: .sha1).isEquivalent(to: first))
    }

    @Test func checksumsAreVerifiedUnlessGitLeftThemOut() throws {
        let fixture = try GitFixture()
        var bytes = try read(fixture)
        bytes[bytes.count - 1] ^= 1
        #expect(throws: GitError.self) { try GitIndex(bytes, format: .sha1) }
        bytes.replaceSubrange((bytes.count - 20)..., with: [UInt8](repeating: 0, count: 20))
        #expect(try GitIndex(bytes, format: .sha1).entries.count == 2)
    }

    @Test func byHand() throws {
        #expect(try GitIndex(IndexBytes(paths: []).data(), format: .sha1).entries.isEmpty)
        #expect(
            try GitIndex(IndexBytes(paths: [Array("a".utf8), Array("b".utf8)]).data(), format: .sha1).entries.count == 2
        )
    }

    @Test(
        "broken ones are refused",
        arguments: [
            IndexBytes(version: 1, paths: []), IndexBytes(version: 5, paths: []), IndexBytes(paths: [[]]),
            IndexBytes(paths: [Array("b".utf8), Array("a".utf8)]),
            IndexBytes(paths: [Array("a".utf8), Array("a".utf8)]),
            IndexBytes(paths: [Array("a".utf8)], count: 2), IndexBytes(paths: [], count: .max),
            IndexBytes(paths: [Array("a".utf8)], mode: 0o40000),
            IndexBytes(paths: [Array("a".utf8)], mode: 0),
            IndexBytes(paths: [], trailer: Array("link".utf8) + [0, 0, 0, 0]),
            IndexBytes(paths: [], trailer: Array("sdir".utf8) + [0, 0, 0, 0]),
            IndexBytes(paths: [], trailer: Array("TREE".utf8) + [0xFF, 0, 0, 0]),
            IndexBytes(paths: [], trailer: Array("TR".utf8)),
            IndexBytes(paths: [[UInt8](repeating: 0x61, count: 5000)]),
        ]
    )
    func refused(_ bytes: IndexBytes) {
        #expect(throws: GitError.self) { try GitIndex(bytes.data(), format: .sha1) }
    }

    @Test("damaged bytes never crash the parser", arguments: ["2", "4"])
    func fuzz(_ version: String) throws {
        let fixture = try GitFixture()
        for number in 0..<20 { try fixture.write("\(number)", to: "d/f\(number)") }
        try fixture.git(["add", "-A"], in: fixture.lower)
        try fixture.git(["update-index", "--index-version", version], in: fixture.lower)
        var original = try read(fixture)
        original.replaceSubrange((original.count - 20)..., with: [UInt8](repeating: 0, count: 20))
        var state: UInt64 = 99
        func next(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        var parsed = 0
        for _ in 0..<4000 {
            var bytes = original
            for _ in 0...next(3) { bytes[next(bytes.count - 20)] = UInt8(next(256)) }
            if next(4) == 0 { bytes.removeSubrange(next(bytes.count)...) }
            if (try? GitIndex(bytes, format: .sha1)) != nil { parsed += 1 }
            _ = try? GitIndex(bytes, format: .sha256)
        }
        // Damage to file times is no damage, so that some must pass and some must not.
        #expect(parsed > 0 && parsed < 4000)
    }
}
