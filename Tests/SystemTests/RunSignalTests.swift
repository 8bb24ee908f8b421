import Foundation
import TestSupport
import Testing

@Suite("A signal to bailey ends the whole tree and leaves nothing behind")
struct RunSignalTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let signal: Int32
        let code: Int32
        let cause: String?
        var testDescription: String { "signal \(signal)" }
    }

    static let cases = [
        Case(signal: SIGINT, code: 130, cause: "interrupted"), Case(signal: SIGTERM, code: 143, cause: "terminated"),
        Case(signal: SIGHUP, code: 143, cause: "terminated"), Case(signal: SIGKILL, code: 137, cause: nil),
    ]

    @Test(arguments: cases, TestIdentity.available) func signals(_ item: Case, _ identity: TestIdentity) throws {
        let yard = try Yard(identity)
        let token = "6\(UInt32.random(in: 100_000..<999_999))"
        let script =
            "trap '' INT TERM HUP; echo kept > file; (setsid sleep \(token) &) ; sleep \(token) & wait; sleep \(token)"
        let run = try Background(yard, ["run", "--", "/bin/sh", "-c", script])
        #expect(Eventually.holds { Leftovers.processes("sleep \(token)").filter { !$0.contains("sh -c") }.count == 2 })
        run.send(item.signal)
        #expect(run.end() == item.code)
        #expect(
            Eventually.holds(withinSeconds: 5) { Leftovers.processes(token).isEmpty },
            "\(Leftovers.processes(token))"
        )
        #expect(Leftovers.mounts(yard.path).isEmpty)

        let id = try yard.lastRun()
        if item.cause == nil { #expect(try yard.state(of: id) == "interrupted") }
        // A start tidies up what a killed one left.
        let next = try yard.bailey(["run", "--", "true"])
        #expect(next.status == 0, "\(next.summary)")
        let left = try Leftovers.named(id)
        #expect(left.isEmpty, "\(left)")
        #expect(try yard.bailey(["journal", "verify"]).status == 0)
        let shown = try yard.bailey(["runs", "show", "--json", id]).answer
        // What the command had done until then is held like any change.
        #expect(shown.text("state") == "held")
        if let cause = item.cause { #expect(shown.text("cause") == cause) }
        #expect(try yard.bailey(["changes", "apply", id]).status == 0)
        #expect(try yard.read("project/file") == "kept\n")
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: yard.state + "/bailey").filter { $0.contains("probe") }
                .isEmpty
        )
    }

    @Test("a sandbox that somebody ends from outside is told as such, and half its work is not brought in unasked")
    func somebodyEndsTheLauncher() throws {
        let yard = try Yard()
        let token = "5\(UInt32.random(in: 100_000..<999_999))"
        let script = "echo half > file; sleep \(token); echo whole > file"
        let run = try Background(yard, ["run", "--apply", "auto", "--", "/bin/sh", "-c", script])
        #expect(Eventually.holds { Leftovers.processes("sleep \(token)").contains { !$0.contains("sh -c") } })
        let children = try String(
            contentsOfFile: "/proc/\(run.processID)/task/\(run.processID)/children",
            encoding: .utf8
        )
        let launcher = try #require(children.split(separator: " ").first.flatMap { Int32($0) })
        kill(launcher, SIGKILL)
        #expect(run.end() == 137)
        #expect(Leftovers.processes(token).isEmpty)
        let shown = try yard.bailey(["runs", "show", "--json"]).answer
        #expect(shown.text("cause") == "sandbox_died" && shown.text("state") == "held")
        #expect(!yard.exists("project/file"))
        #expect(try yard.bailey(["journal", "verify"]).status == 0)
    }

    @Test func aSignalBeforeTheSandboxStands() throws {
        let yard = try Yard()
        for delayMicroseconds in stride(from: 0 as UInt32, through: 60_000, by: 6_000) {
            let run = try Background(yard, ["run", "--", "sleep", "50"])
            usleep(delayMicroseconds)
            run.send(SIGTERM)
            #expect(run.end(withinSeconds: 20) == 143)
        }
        #expect(Eventually.holds(withinSeconds: 5) { Leftovers.processes(yard.path).isEmpty })
        #expect(try yard.bailey(["run", "--", "true"]).status == 0)
        #expect(try yard.bailey(["journal", "verify"]).status == 0)
    }
}
