import TestSupport
import Testing

@Suite("git works behind the wall as outside")
struct ToolchainGitTests {
    /// A repository with one commit, made outside.
    private static func repository(_ identity: TestIdentity) throws -> ToolchainYard {
        let yard = try ToolchainYard(identity)
        try yard.writeHome("[user]\n\tname = Ada\n\temail = ada@example.invalid\n", to: ".gitconfig")
        try yard.write("one\n", to: "a.txt")
        let made = try yard.outside("git init -q -b main . && git add -A && git commit -qm first")
        try #require(made.status == 0, "\(made.summary)")
        return yard
    }

    @Test("status, add and commit; the commit arrives with the caller's name", arguments: TestIdentity.available)
    func commits(_ identity: TestIdentity) throws {
        let yard = try Self.repository(identity)
        let script =
            "git status --porcelain && echo two >> a.txt && echo new > b.txt && git status --porcelain && "
            + "git add -A && git commit -qm second && git status --porcelain"
        let result = try yard.bailey(["run", "--apply", "auto", "--", "/bin/sh", "-c", script])
        #expect(result.status == 0, "\(result.summary)")
        #expect(result.stdout == " M a.txt\n?? b.txt\n")
        let log = try yard.outside("git log --format='%an <%ae> %s' && git status --porcelain && git fsck --strict")
        #expect(log.stdout == "Ada <ada@example.invalid> second\nAda <ada@example.invalid> first\n", "\(log.summary)")
        #expect(log.status == 0, "\(log.summary)")
    }

    @Test("a look at the status leaves no change behind", arguments: TestIdentity.available)
    func statusChangesNothing(_ identity: TestIdentity) throws {
        let yard = try Self.repository(identity)
        let touched = try yard.outside("touch a.txt")
        try #require(touched.status == 0, "\(touched.summary)")
        let result = try yard.bailey(["run", "--json", "--", "/usr/bin/git", "status"])
        #expect(result.status == 0, "\(result.summary)")
        #expect(result.stdout.contains("\"state\":\"none\""), "\(result.summary)")
    }

    @Test("branches, a merge and a garbage collection work inside", arguments: TestIdentity.available)
    func branches(_ identity: TestIdentity) throws {
        let yard = try Self.repository(identity)
        let script =
            "git switch -qc topic && echo x > x && git add x && git commit -qm topic && git switch -q main && "
            + "echo y > y && git add y && git commit -qm main && git merge -qm merged topic && git gc -q && "
            + "git log --oneline | wc -l && git fsck --strict"
        let result = try yard.inside(script)
        #expect(result.status == 0, "\(result.summary)")
        #expect(result.stdout.hasPrefix("4\n"), "\(result.summary)")
    }
}
