import Foundation
import TestSupport
import Testing

@Suite("A .bailey that is not surely the caller's own is refused")
struct ProjectDirectoryTests {
    private struct Place {
        let yard: Yard
        init() throws {
            yard = try Yard()
            let first = try yard.bailey(["run", "--", "true"])
            guard first.status == 0 else { throw YardError(first.summary) }
        }
    }

    private func refuses(_ yard: Yard, _ words: [String], in directory: String? = nil) throws {
        for arguments in [["run", "--", "true"], ["runs", "list"], ["changes", "list"]] {
            let result = try yard.bailey(arguments, in: directory)
            #expect(result.status == 125, "\(arguments): \(result.summary)")
            for word in words { #expect(result.stderr.contains(word), "\(word): \(result.summary)") }
        }
    }

    @Test func unregistered() throws {
        let yard = try Place().yard
        try yard.outside("rm -r ../state/bailey/projects")
        try refuses(yard, [yard.bailey, "not registered", "project adopt", "mv "])
    }

    @Test func withAForgedRegister() throws {
        let yard = try Place().yard
        try yard.outside("cd ../state/bailey/projects; sed -i '1y/0123456789abcdef/123456789abcdef0/' *")
        try refuses(yard, ["not registered"])
    }

    @Test func aLink() throws {
        let yard = try Place().yard
        try yard.outside("mv .bailey ../elsewhere; ln -s ../elsewhere .bailey")
        try refuses(yard, [yard.bailey, "not a real directory", "mv "])
    }

    @Test func aFile() throws {
        let yard = try Yard()
        try yard.write("x", to: "project/.bailey")
        try refuses(yard, [yard.bailey, "not a real directory", "mv "])
    }

    @Test func openToOthers() throws {
        let yard = try Place().yard
        try yard.outside("chmod 755 .bailey")
        try refuses(yard, [yard.bailey, "mode 755", "chmod 700"])
    }

    @Test(.enabled(if: getuid() == 0, "only root can give a directory away")) func ofAnotherOwner() throws {
        let yard = try Place().yard
        try yard.outside("chown 4321 .bailey")
        try refuses(yard, [yard.bailey, "user 4321"])
    }

    @Test func withoutAnId() throws {
        let yard = try Place().yard
        try yard.outside("echo '../../etc' > .bailey/id")
        try refuses(yard, [yard.bailey, "no readable id"])
    }

    @Test func trackedByGit() throws {
        let yard = try Place().yard
        try yard.makeRepository()
        #expect(try yard.bailey(["run", "--", "true"]).status == 0, "git ignores it by itself")
        try yard.outside("git add -f .bailey/id")
        try refuses(yard, [yard.bailey, "git tracks it", "mv ", "rm -r -q --cached .bailey"])
        try yard.outside("git -C '\(yard.project)' rm -r -q --cached .bailey")
        #expect(try yard.bailey(["run", "--", "true"]).status == 0, "the hint's command helps")
    }

    @Test(arguments: ["2", "4"]) func trackedByTheRepositoryAround(_ version: String) throws {
        let yard = try Yard()
        try yard.makeRepository(["part/.bac": "x", "part/source.txt": "x", "part/.bailey/id": "forged"])
        try yard.outside("git update-index --index-version \(version); chmod 700 part/.bailey")
        try refuses(yard, ["part/.bailey", "git tracks it"], in: yard.project + "/part")
    }

    @Test func aProjectThatWasMoved() throws {
        let yard = try Place().yard
        try yard.outside("mkdir ../moved && mv .bailey ../moved/")
        let moved = yard.path + "/moved"
        try refuses(yard, [moved, "not registered", "project adopt"], in: moved)
        let adopted = try yard.bailey(["project", "adopt"], in: moved)
        #expect(adopted.status == 0, "\(adopted.summary)")
        #expect(try yard.bailey(["run", "--", "true"], in: moved).status == 0)
        let verified = try yard.bailey(["journal", "verify"], in: moved)
        #expect(verified.status == 0, "\(verified.summary)")
        #expect(verified.stdout.contains("2 runs"))
    }

    /// A command behind the wall can read the id from where its caches are mounted.
    @Test func besideAnotherNamedForIt() throws {
        let yard = try Place().yard
        try yard.inside("echo work >held", "--apply", "never")
        try yard.outside("id=$(cat .bailey/id); mkdir \".bailey.$id\"; echo theirs >\".bailey.$id/file\"")
        for _ in 0..<2 { #expect(try yard.bailey(["run", "--", "true"]).status == 0) }
        #expect(try yard.outside("cat .bailey.p_*/file").stdout == "theirs\n", "it is nobody's but the user's")
        #expect(try yard.outside("ls ../state/bailey/projects").stdout == (try yard.read("project/.bailey/id")))
    }

    @Test func adoptOfNothing() throws {
        let yard = try Yard()
        let result = try yard.bailey(["project", "adopt"])
        #expect(result.status == 2)
        #expect(result.stderr.contains(yard.project), "\(result.summary)")
    }
}
