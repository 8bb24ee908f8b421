import Foundation
import TestSupport
import Testing

@Suite("What programs find out about the system behind the wall")
struct SystemFactTests {
    @Test("man shows a page", .enabled(if: ProjectYard.has(["man"])), arguments: TestIdentity.available)
    func showsManual(_ identity: TestIdentity) throws {
        let yard = try ProjectYard(identity)
        try yard.lay("python")
        let script = "printf '.TH PAGE 1\\n.SH NAME\\npage - of the project\\n' >page.1 && man ./page.1"
        let outside = try yard.outside(script)
        let behind = try yard.behind(script)
        #expect(outside.stdout.contains("page - of the project"), "\(outside.summary)")
        #expect(behind.stdout == outside.stdout, "\(behind.summary)")
    }

    @Test("mv renames a directory that was there before", arguments: TestIdentity.available)
    func movesDirectory(_ identity: TestIdentity) throws {
        let yard = try ProjectYard(identity)
        try yard.lay("python")
        let behind = try yard.behind("mv old new && cat new/kept.txt")
        #expect(behind.stdout == "kept\n", "\(behind.summary)")
        let after = try yard.outside("ls -d old new 2>/dev/null; cat new/kept.txt")
        #expect(after.stdout == "new\nkept\n", "\(behind.summary)\(after.summary)")
    }

    /// An overlay that an ordinary user may mount answers EXDEV to that, and not every program copies then.
    @Test("a program that cannot copy renames it in a copied project", arguments: TestIdentity.available)
    func renamesDirectory(_ identity: TestIdentity) throws {
        let yard = try ProjectYard(identity)
        try yard.lay("python")
        let rename = "import os; os.rename('old', 'new')"
        let overlay = try yard.bailey(["run", "--apply", "never", "--", "/usr/bin/python3", "-c", rename])
        #expect(overlay.stderr.contains("Invalid cross-device link"), "\(overlay.summary)")
        let copy = try yard.bailey(
            ["run", "--workspace", "copy", "--apply", "auto", "--", "/usr/bin/python3", "-c", rename]
        )
        #expect(copy.status == 0, "\(copy.summary)")
        #expect(try yard.outside("cat new/kept.txt && ! ls -d old").stdout == "kept\n")
    }
}
