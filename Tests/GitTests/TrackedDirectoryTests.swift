import Git
import TestSupport
import Testing

@Suite("A directory that git tracks is found in an index of any size")
struct TrackedDirectoryTests {
    private func fixture(_ paths: [String]) throws -> GitFixture {
        let fixture = try GitFixture(empty: true)
        try fixture.make(fixture.lower)
        try fixture.git(["init", "-q"], in: fixture.lower)
        let blob = try fixture.git(["hash-object", "-w", "--stdin"], in: fixture.lower, input: "x").prefix(40)
        let lines = paths.map { "100644 \(blob) 0\t\($0)\n" }.joined()
        try fixture.git(["update-index", "--index-info"], in: fixture.lower, input: lines)
        return fixture
    }

    /// 817 entries of 80 bytes follow a header of 12, then 62 bytes of the next: there a path begins, and the project's
    /// name moves `.bailey` over the border of 65,536 bytes at which the file is read in two pieces.
    @Test(arguments: 90...106)
    func acrossABorder(length: Int) throws {
        let others = (0..<817).map { "a\(String($0 + 100_000_000))" }
        let project = String(repeating: "z", count: length)
        let fixture = try fixture(others + ["\(project)/.bailey/id"])
        #expect(TrackedDirectory.isTracked(".bailey", inProject: fixture.lower + "/" + project))
        #expect(!TrackedDirectory.isTracked(".bailey", inProject: fixture.lower))
        #expect(!TrackedDirectory.isTracked(".bailez", inProject: fixture.lower + "/" + project))
    }

    @Test(arguments: [[], ["a"], ["a/.bailey/id"], [".baile"], [".baileys/id"]])
    func elsewhereOrAlike(paths: [String]) throws {
        let fixture = try fixture(paths)
        #expect(!TrackedDirectory.isTracked(".bailey", inProject: fixture.lower))
    }

    @Test(arguments: [[".bailey"], [".bailey/id"], ["a", ".bailey/id", "b"]])
    func tracked(paths: [String]) throws {
        let fixture = try fixture(paths)
        #expect(TrackedDirectory.isTracked(".bailey", inProject: fixture.lower))
        try fixture.git(["update-index", "--index-version", "4"], in: fixture.lower)
        #expect(TrackedDirectory.isTracked(".bailey", inProject: fixture.lower))
    }
}
