import Foundation
import TestSupport
import Testing

@Suite("bailey journal shows what happened and finds what was changed")
struct JournalCommandTests {
    private func place() throws -> (Yard, [String]) {
        let yard = try Yard()
        try yard.write("a\n", to: "project/a.txt")
        try yard.inside("echo b >> a.txt; exit 3")
        try yard.inside("true")
        return (yard, try yard.runs())
    }

    /// The independent verifier's word on the same directory.
    private func independent(_ yard: Yard) throws -> ProcessResult {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent(
            "../../script/verify-journal.py"
        ).standardizedFileURL.path
        let key = yard.state + "/bailey/signing.pub"
        return try yard.outside("python3 '\(script)' .bailey --key '\(key)'")
    }

    @Test(arguments: TestIdentity.available) func good(_ identity: TestIdentity) throws {
        let yard = try Yard(identity)
        try yard.inside("echo x > a", "--apply", "auto")
        let verified = try yard.bailey(["journal", "verify"])
        #expect(verified.status == 0, "\(verified.summary)")
        #expect(verified.stdout.hasPrefix("good: 1 runs (0 open)") && verified.stdout.contains("signature good"))
        let answer = try yard.bailey(["journal", "verify", "--json"]).answer
        #expect(answer.flag("good") == true && answer.flag("signature_verified") == true && answer.number("runs") == 1)
        let expected = [
            "RUN_CREATED", "GRANT_ISSUED", "COMMAND_OBSERVED", "COMMAND_EXITED", "CHANGES_RECORDED", "GRANT_ISSUED",
            "APPLY_STARTED", "CHANGES_APPLIED", "RUN_COMPLETED",
        ]
        #expect(try yard.events() == expected)
    }

    @Test func shows() throws {
        let (yard, runs) = try place()
        let shown = try yard.bailey(["journal", "show", runs[0]])
        #expect(shown.stdout.contains("RUN_CREATED") && shown.stdout.contains("\"exit_code\":3"), "\(shown.summary)")
        let events = try yard.bailey(["journal", "events"])
        let lines = events.stdout.split(separator: "\n")
        #expect(try lines.allSatisfy { try Answer(Data($0.utf8)).number("v") == 1 })
        let exits = try yard.bailey(["journal", "events", "--type", "COMMAND_EXITED"])
        #expect(exits.stdout.split(separator: "\n").count == 2)
        let one = try yard.bailey(["journal", "events", runs[0], "--type", "COMMAND_EXITED"])
        #expect(one.stdout.split(separator: "\n").count == 1)
        let wrong = try yard.bailey(["journal", "events", "--type", "NOSUCH"])
        #expect(wrong.status == 2 && wrong.stderr.contains("NOSUCH") && wrong.stderr.contains("COMMAND_EXITED"))
    }

    @Test func names() throws {
        let (yard, runs) = try place()
        #expect(runs.count == 2)
        for noun in [
            ["runs", "show"], ["journal", "show"], ["journal", "verify"], ["changes", "show"], ["changes", "apply"],
        ] {
            let absent = try yard.bailey(noun + ["r_zzzz"])
            #expect(absent.status == 2 && absent.stderr.contains("r_zzzz"), "\(noun): \(absent.summary)")
            let ambiguous = try yard.bailey(noun + ["r_"])
            #expect(ambiguous.status == 2 && ambiguous.stderr.contains("2 runs"), "\(noun): \(ambiguous.summary)")
            #expect(ambiguous.stderr.contains(runs[0]))
            let path = try yard.bailey(noun + ["../runs/" + runs[0]])
            #expect(path.status == 2, "\(noun): \(path.summary)")
        }
        #expect(try yard.bailey(["runs", "show", "last"]).stdout.contains(runs[1]))
        #expect(try yard.bailey(["runs", "show", String(runs[0].dropLast())]).stdout.contains(runs[0]))
    }

    struct Damage: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let script: String
        let line: String?
    }

    static let damages = [
        // A line's own content is vouched for by the next.
        Damage(
            testDescription: "a flipped byte",
            script: "sed -i '4s/\"exit_code\":3/\"exit_code\":0/' $F",
            line: "line 5"
        ),
        Damage(testDescription: "a removed line", script: "sed -i 2d $F", line: "line 2"),
        Damage(testDescription: "two lines swapped", script: "sed -i '2{h;d};3{G}' $F", line: "line 2"),
        Damage(
            testDescription: "an invalid byte",
            script: "printf '\\377' | dd of=$F bs=1 seek=20 conv=notrunc status=none",
            line: "line 1"
        ),
        Damage(testDescription: "cut at the end", script: "truncate -s -10 $F", line: "line 5"),
        Damage(testDescription: "cut at a line", script: "sed -i '$d' $F", line: nil),
        Damage(testDescription: "emptied", script: ": > $F", line: nil),
        Damage(testDescription: "removed", script: "rm $F", line: nil),
        Damage(testDescription: "the whole run removed", script: "rm -r .bailey/runs/$R", line: nil),
        Damage(testDescription: "a line added", script: "tail -1 $F >> $F", line: "line 6"),
    ]

    @Test(arguments: damages) func damage(_ item: Damage) throws {
        let (yard, runs) = try place()
        #expect(try independent(yard).status == 0)
        try yard.outside("R=\(runs[0]); F=.bailey/runs/$R/journal/journal.jsonl; " + item.script)
        let verified = try yard.bailey(["journal", "verify"])
        #expect(verified.status == 1, "\(verified.summary)")
        #expect(verified.stdout.contains(runs[0]) && verified.stdout.contains("BAD"), "\(verified.summary)")
        if let line = item.line { #expect(verified.stdout.contains(line), "\(verified.summary)") }
        #expect(try yard.bailey(["journal", "verify", "--json"]).answer.flag("good") == false)
        #expect(try yard.bailey(["journal", "verify", runs[1]]).status == 0, "the other run is whole")
        let other = try independent(yard)
        #expect(other.status == 1 && (other.stdout + other.stderr).contains(runs[0]), "\(other.summary)")
        // The damage is told, nothing crashes, and what is whole goes on.
        for arguments in [["runs", "list"], ["runs", "show", runs[1]], ["changes", "list"]] {
            #expect(try yard.bailey(arguments).status == 0, "\(arguments)")
        }
        let shown = try yard.bailey(["runs", "show", runs[0]])
        #expect([0, 2, 125].contains(shown.status) && !shown.timedOut, "\(shown.summary)")
        let next = try yard.bailey(["run", "--", "true"])
        #expect(next.status == 0, "\(next.summary)")
        #expect(try yard.bailey(["journal", "verify"]).status == 1, "damage does not heal")
    }

    @Test func aForgedCheckpoint() throws {
        let (yard, _) = try place()
        try yard.outside("f=$(ls .bailey/authority/* | grep -i checkpoint); sed -i '3y/ABCDEFGH/BCDEFGHA/' $f")
        let verified = try yard.bailey(["journal", "verify"])
        #expect(verified.status == 1, "\(verified.summary)")
        let run = try yard.bailey(["run", "--", "true"])
        #expect(run.status == 125, "nothing vouches for a forgery: \(run.summary)")
        #expect(run.stderr.contains("checkpoint"))
    }

    @Test func secretsDoNotReachTheJournal() throws {
        let yard = try Yard()
        let secret = "s3" + String((0..<20).map { _ in "abcdefghijkmnpqrstuvwxyz23456789".randomElement() ?? "a" })
        try yard.write("DATABASE_PASSWORD=\(secret)\n", to: "project/.env")
        let other = String(secret.reversed()) + "Q"
        try yard.bailey(
            ["run", "--env", "MY_TOKEN", "--", "sh", "-c", "echo \(secret) \(other) > out; : $MY_TOKEN"],
            with: ["MY_TOKEN": other]
        )
        for value in [secret, other] {
            let found = try yard.outside("grep -rl '\(value)' .bailey/runs/*/journal .bailey/authority")
            #expect(found.stdout.isEmpty, "\(found.stdout)")
        }
        #expect(try yard.bailey(["journal", "show"]).stdout.contains("********"))
    }
}
