import Domain
import Foundation
import Testing
import Workspace

@Suite("What a command did is listed whole", .enabled(if: overlayWorks, "no overlay can be mounted here"))
struct ChangeWalkTests {
    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        let script: String
        let lines: [String]
        var testDescription: String { name }
    }

    static let before = """
        mkdir -p a/b/c d/e empty; printf one >f; printf two >a/g; printf three >a/b/h; printf four >a/b/c/i
        printf '\\0bin' >bin; ln -s f link; chmod 640 f; printf x >d/x; printf y >d/e/y
        """

    static let cases: [Case] = [
        Case(name: "nothing", script: "cat f a/g >/dev/null; ls -lR >/dev/null", lines: []),
        Case(
            name: "create",
            script: "printf n >n; mkdir m; printf o >m/o",
            lines: ["created directory m", "created file m/o", "created file n"]
        ),
        Case(name: "change", script: "printf 1 >>f", lines: ["changed file f"]),
        Case(
            name: "change back",
            script: "cp f /tmp/bailey-f.$$; printf 1 >>f; cat /tmp/bailey-f.$$ >f; rm /tmp/bailey-f.$$",
            lines: []
        ),
        Case(name: "copy up only", script: "touch -a f a/b/h a; touch a/g", lines: []),
        Case(name: "mode of a file", script: "chmod 755 f", lines: ["mode file f"]),
        Case(name: "mode of a directory", script: "chmod 700 a", lines: ["mode directory a"]),
        Case(name: "delete", script: "rm f", lines: ["deleted file f"]),
        Case(
            name: "delete a directory",
            script: "rm -r a",
            lines: [
                "deleted directory a", "deleted directory a/b", "deleted directory a/b/c", "deleted file a/b/c/i",
                "deleted file a/b/h", "deleted file a/g",
            ]
        ),
        Case(
            name: "make a directory again with the same content",
            script: "cp -a d d2; rm -r d; cp -a d2 d; rm -r d2",
            lines: []
        ),
        Case(
            name: "make a directory again with less",
            script: "rm -r d; mkdir d; printf z >d/z",
            lines: ["deleted directory d/e", "deleted file d/e/y", "deleted file d/x", "created file d/z"]
        ),
        Case(
            name: "rename a directory",
            script: "mv d dd 2>/dev/null || { cp -a d dd; rm -r d; }",
            lines: [
                "deleted directory d", "deleted directory d/e", "deleted file d/e/y", "deleted file d/x",
                "created directory dd", "created directory dd/e", "created file dd/e/y", "created file dd/x",
            ]
        ),
        Case(name: "rename a file", script: "mv f ff", lines: ["deleted file f", "created file ff"]),
        Case(
            name: "directory for a file",
            script: "rm f; mkdir f; printf x >f/x",
            lines: ["changed directory f", "created file f/x"]
        ),
        Case(
            name: "file for a directory",
            script: "rm -r d; printf d >d",
            lines: ["changed file d", "deleted directory d/e", "deleted file d/e/y", "deleted file d/x"]
        ),
        Case(name: "link for a file", script: "rm f; ln -s /etc/passwd f", lines: ["changed symlink f"]),
        Case(name: "another link", script: "ln -sfn a/g link", lines: ["changed symlink link"]),
        Case(name: "the same link again", script: "ln -sfn f link", lines: []),
        Case(
            name: "special files",
            script: "mkfifo p; python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"s\")'",
            lines: ["created fifo p", "created socket s"]
        ),
        Case(
            name: "hostile names",
            script:
                "printf x >$'new\\nline'; printf x >$'bad\\xff'; printf x >$'rtl\\u202etxt'"
                + "; printf x >$(printf 'n%.0s' {1..255})",
            lines: [
                "created file bad\\xff", "created file new\\x0aline",
                "created file " + String(repeating: "n", count: 255), "created file rtl\\u{202e}txt",
            ]
        ),
        Case(
            name: "forged marks",
            script:
                "mkdir o; setfattr -n user.overlay.opaque -v y a 2>/dev/null || true"
                + "; mknod w c 0 0 2>/dev/null || true",
            lines: ["created directory o"]
        ),
    ]

    @Test(arguments: cases)
    func overlay(_ item: Case) throws {
        let bench = try Bench()
        try bench.outside(Self.before)
        let plan = try bench.prepare(.overlay)
        try bench.inside(plan, item.script)
        let set = try plan.listChanges(limits: ResourceLimits())
        #expect(set.lines == item.lines)
        #expect(ChangeSet(encoded: set.encoded(in: bench.stored), in: bench.stored) == set)
        #expect(try bench.judge(plan).conflicts.isEmpty)
    }

    /// In a copy only the sandbox's filter stands against device nodes.
    @Test(arguments: cases.filter { $0.name != "forged marks" })
    func copy(_ item: Case) throws {
        let bench = try Bench()
        try bench.outside(Self.before)
        let plan = try bench.prepare(.copy(reason: "a test"))
        try bench.inside(plan, item.script)
        #expect(try plan.listChanges(limits: ResourceLimits()).lines == item.lines)
        #expect(try bench.judge(plan).conflicts.isEmpty)
    }
}
