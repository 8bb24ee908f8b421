import Domain
import Foundation
import Git
import TestSupport
import Testing

@Suite("a sensitive file that git tracks unchanged is not hidden")
struct TrackedFilesTests {
    private func answer(_ fixture: GitFixture, _ name: String, project: String? = nil) throws -> Bool {
        let project = project ?? fixture.lower
        let tracked = TrackedFiles(projectPath: project)
        let path = try #require(RelativePath(name))
        let first = tracked.isTrackedUnchanged(path)
        #expect(tracked.isTrackedUnchanged(path) == first)
        return first
    }

    @Test(arguments: ["sha1", "sha256"])
    func byContent(_ format: String) throws {
        let fixture = try GitFixture(format: format)
        try fixture.write("A=1\n", to: ".env")
        try fixture.write("A=1\n", to: "deep/er/.env")
        #expect(try !answer(fixture, ".env"))
        try fixture.git(["add", "-A"], in: fixture.lower)
        #expect(try answer(fixture, ".env"))
        #expect(try answer(fixture, "deep/er/.env"))
        try fixture.write("A=2\n", to: ".env")
        #expect(try !answer(fixture, ".env"))
        #expect(try answer(fixture, "deep/er/.env"))
        #expect(try !answer(fixture, "missing/.env"))
        #expect(try !answer(fixture, "deep"))
    }

    @Test func intendedOnlyOrLinkedStaysHidden() throws {
        let fixture = try GitFixture()
        try fixture.write("A=1\n", to: ".env")
        try fixture.git(["add", "-N", ".env"], in: fixture.lower)
        #expect(try !answer(fixture, ".env"))
        try fixture.run(["ln", "-s", "one.txt", "id_rsa"], in: fixture.lower)
        try fixture.git(["add", "-A"], in: fixture.lower)
        #expect(try !answer(fixture, "id_rsa"))
        #expect(try answer(fixture, ".env"))
    }

    @Test func theNearestRepositoryDecides() throws {
        let fixture = try GitFixture()
        try fixture.write("A=1\n", to: "inner/.env")
        try fixture.git(["add", "-A"], in: fixture.lower)
        #expect(try answer(fixture, "inner/.env"))
        try fixture.git(["init", "-q", "inner"], in: fixture.lower)
        #expect(try !answer(fixture, "inner/.env"))
        try fixture.git(["add", "-A"], in: fixture.lower + "/inner")
        #expect(try answer(fixture, "inner/.env"))
    }

    @Test func linkedWorktreesAreFollowed() throws {
        let fixture = try GitFixture()
        try fixture.write("A=1\n", to: ".env")
        try fixture.git(["add", "-A"], in: fixture.lower)
        try fixture.git(["commit", "-q", "-m", "env"], in: fixture.lower)
        let linked = fixture.directory.path + "/linked"
        try fixture.git(["worktree", "add", "-q", "-b", "w", linked], in: fixture.lower)
        #expect(try answer(fixture, ".env", project: linked))
    }

    @Test(
        "any doubt hides",
        arguments: [
            "echo garbage > .git/index", "rm .git/index", "git update-index --split-index",
            "rm -rf .git; ln -s elsewhere .git",
            "echo garbage > .git/config", "rm -rf .git", "rm -rf .git; echo nonsense > .git",
            "git config extensions.objectformat md5",
        ]
    )
    func doubt(_ script: String) throws {
        let fixture = try GitFixture()
        try fixture.write("A=1\n", to: ".env")
        try fixture.git(["add", "-A"], in: fixture.lower)
        try fixture.run(["sh", "-c", script], in: fixture.lower)
        #expect(try !answer(fixture, ".env"))
    }
}

@Suite("an outside git directory is shown only if it names the project")
struct OutsideGitDirectoryTests {
    private let me = getuid()

    private func real(_ path: String) -> String {
        URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    }

    @Test func insideNeedsNothing() throws {
        let fixture = try GitFixture()
        #expect(OutsideGitDirectory.find(project: fixture.lower, callerUserID: me) == .notNeeded)
        let plain = try GitFixture(empty: true)
        #expect(OutsideGitDirectory.find(project: plain.lower, callerUserID: me) == .notNeeded)
        try fixture.run(["sh", "-c", "mv .git real; echo 'gitdir: real' > .git"], in: fixture.lower)
        #expect(OutsideGitDirectory.find(project: real(fixture.lower), callerUserID: me) == .notNeeded)
    }

    @Test func aLinkedWorktreeIsBelievedWhereItsRepositoryNamesIt() throws {
        let fixture = try GitFixture()
        let linked = real(fixture.directory.path) + "/linked"
        try fixture.git(["worktree", "add", "-q", "-b", "w", linked], in: fixture.lower)
        let expected = OutsideGitDirectory.mount([real(fixture.lower) + "/.git"], hasAlternates: false)
        #expect(OutsideGitDirectory.find(project: linked, callerUserID: me) == expected)
        #expect(isRefused(OutsideGitDirectory.find(project: linked, callerUserID: me + 1), "somebody else"))
        // A copy of the project, or its .git file in a download, is not what the repository names.
        let copy = real(fixture.directory.path) + "/copy"
        try fixture.run(["cp", "-a", linked, copy], in: fixture.directory.path)
        #expect(isRefused(OutsideGitDirectory.find(project: copy, callerUserID: me), "does not name this project"))
    }

    @Test func aSeparateGitDirectoryIsBelievedByItsWorktree() throws {
        let fixture = try GitFixture(empty: true)
        let project = real(fixture.lower)
        try fixture.git(["init", "-q", "--separate-git-dir", "../store"], in: project)
        #expect(isRefused(OutsideGitDirectory.find(project: project, callerUserID: me), "does not name this project"))
        try fixture.git(["config", "core.worktree", project], in: project)
        let store = real(fixture.directory.path) + "/store"
        #expect(OutsideGitDirectory.find(project: project, callerUserID: me) == .mount([store], hasAlternates: false))
        try "/elsewhere\n".write(toFile: store + "/objects/info/alternates", atomically: true, encoding: .utf8)
        #expect(OutsideGitDirectory.find(project: project, callerUserID: me) == .mount([store], hasAlternates: true))
    }

    @Test(
        "a downloaded .git file does not show somebody's repository",
        arguments: [
            "gitdir: ../private/.git", "gitdir: ../private", "gitdir: ../missing", "gitdir: /", "gitdir: ..",
            "nonsense", "gitdir:", "",
            "gitdir: ../forged/worktrees/x", "gitdir: ../forged2",
        ]
    )
    func forged(_ content: String) throws {
        let fixture = try GitFixture()
        let base = real(fixture.directory.path)
        try fixture.run(["mv", "lower", "private"], in: base)
        try fixture.make(base + "/download")
        let script = """
            mkdir -p forged/worktrees/x forged2/worktrees/x
            echo "$PWD/download/.git" > forged/worktrees/x/gitdir
            echo "$PWD/private/.git" > forged/worktrees/x/commondir
            echo "ref: refs/heads/main" > forged/worktrees/x/HEAD
            echo "$PWD/private/.git" > forged2/commondir
            echo "$PWD/download/.git" > forged2/gitdir
            """
        try fixture.run(["sh", "-c", script], in: base)
        try (content + "\n").write(toFile: base + "/download/.git", atomically: true, encoding: .utf8)
        #expect(isRefused(OutsideGitDirectory.find(project: base + "/download", callerUserID: me), ""))
    }

    @Test func aLinkIsRefused() throws {
        let fixture = try GitFixture()
        let base = real(fixture.directory.path)
        try fixture.run(["sh", "-c", "mkdir download; ln -s ../lower/.git download/.git"], in: base)
        #expect(isRefused(OutsideGitDirectory.find(project: base + "/download", callerUserID: me), "neither"))
    }

    private func isRefused(_ answer: OutsideGitDirectory, _ words: String) -> Bool {
        if case .refused(let reason) = answer { return words.isEmpty || reason.contains(words) }
        return false
    }
}
