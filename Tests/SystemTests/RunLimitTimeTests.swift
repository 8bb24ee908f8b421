import Foundation
import TestSupport
import Testing

@Suite("Whatever reaches a limit ends within two seconds of it")
struct RunLimitTimeTests {
    /// What must not take longer once the limit is reached.
    static let boundMilliseconds = 2_000
    /// A machine that others load may hold one attempt up; a fault holds up every one.
    static let attemptsMax = 3

    struct Case: Sendable, CustomTestStringConvertible {
        let what: String
        let options: [String]
        let script: String
        var cause = "timeout"
        /// When the limit is reached, counted from the first instruction.
        var limitMilliseconds = 1_000
        var configuration = ""
        var testDescription: String { what }
    }

    private static let time = ["--timeout", "1s"]
    private static let cases = [
        Case(
            what: "a fork bomb",
            options: time + ["--processes", "60"],
            script: "b() { b | b & }; b 2>/dev/null; sleep 50"
        ),
        Case(
            what: "a 64 GiB allocation",
            options: ["--memory", "64MiB"],
            script: "exec python3 -c 'import mmap\nm = mmap.mmap(-1, 64 << 30, 0x4022)\n"
                + "for i in range(0, 64 << 30, 4096): m[i] = 1'",
            cause: "memory",
            limitMilliseconds: 0
        ),
        Case(
            what: "memory that is touched bit by bit",
            options: ["--memory", "64MiB"],
            script: "exec python3 -c 'x = []\nwhile True: x.append(bytearray(1 << 20))'",
            cause: "memory",
            limitMilliseconds: 0
        ),
        Case(
            what: "an endless output",
            options: ["--output-limit", "1MiB"],
            script: "sleep 0.2; exec yes",
            cause: "output",
            limitMilliseconds: 0
        ),
        Case(
            what: "files without end in the workspace",
            options: [],
            script: "i=0; while :; do i=$((i + 1)); : > f$i; done",
            cause: "workspace",
            limitMilliseconds: 0,
            configuration: "limits:\n  workspace_files: 300\n"
        ),
        Case(
            what: "bytes without end in the workspace",
            options: [],
            script: "i=0; while :; do i=$((i + 1)); head -c 1000000 /dev/zero > big$i; done",
            cause: "workspace",
            limitMilliseconds: 0,
            configuration: "limits:\n  workspace_bytes: 4MiB\n"
        ),
        Case(
            what: "files without end in the cache",
            options: [],
            script: "mkdir -p ~/.cache; cd ~/.cache; i=0; while :; do i=$((i + 1)); : > f$i; done",
            cause: "workspace",
            limitMilliseconds: 0,
            configuration: "limits:\n  workspace_files: 300\n"
        ),
        Case(what: "files without end in /tmp", options: time, script: endless("/tmp")),
        Case(what: "files without end in the home", options: time, script: endless("~")),
        Case(
            what: "a command that ignores every signal",
            options: time,
            script: "trap '' TERM INT HUP; while :; do sleep 1; done"
        ),
        Case(
            what: "a daemon that holds the pipe",
            options: time,
            script: "trap '' HUP; setsid sh -c 'while :; do echo held; sleep 0.1; done' & sleep 50"
        ),
        Case(what: "a command that stops itself", options: time, script: "kill -STOP $$; sleep 50"),
        Case(what: "time that is spent sleeping in the kernel", options: time, script: "exec sleep 60"),
    ]

    private static func endless(_ place: String) -> String {
        "cd \(place); i=0; while :; do i=$((i + 1)); head -c 20000 /dev/zero > f$i; done 2>/dev/null"
    }

    /// Milliseconds from the limit to the recorded end, by what the command and Bailey's journal wrote down: what this
    /// test itself waits for the machine does not count.
    private func excess(_ item: Case, _ yard: Yard) throws -> Int {
        let script = "date +%s%3N >&2\n" + item.script
        let result = try yard.bailey(["run", "--json"] + item.options + ["--", "/bin/sh", "-c", script])
        #expect(!result.timedOut && result.status != 0)
        #expect(try result.answer.text("cause") == item.cause, "\(result.summary.suffix(600))")
        let text = try yard.read("project/.bailey/runs/\(yard.lastRun())/journal/journal.jsonl")
        let line = try #require(text.split(separator: "\n").first { $0.contains("COMMAND_EXITED") })
        let answer = try Answer(Data(line.utf8))
        let numbers = result.stderr.prefix(200).split(separator: "\n").compactMap { Int($0) }
        let began = try #require(numbers.first)
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        let ended = try #require(answer.text("ts").flatMap { formatter.date(from: $0) })
        let wall = try #require(answer.number("data.wall_milliseconds"))
        // A limit of time begins with the sandbox, so its own measure is the exact one.
        if item.limitMilliseconds > 0 { return wall - item.limitMilliseconds }
        return Int(ended.timeIntervalSince1970 * 1000) - began
    }

    @Test(arguments: cases, TestIdentity.available)
    func ends(_ item: Case, _ identity: TestIdentity) throws {
        var excesses: [Int] = []
        repeat {
            let yard = try Yard(identity)
            if !item.configuration.isEmpty { try yard.write(item.configuration, to: "project/bailey.yml") }
            excesses.append(try excess(item, yard))
            #expect(try Leftovers.named(yard.lastRun()).isEmpty)
            #expect(Leftovers.mounts(yard.path).isEmpty)
        } while excesses.last ?? 0 > Self.boundMilliseconds && excesses.count < Self.attemptsMax
        #expect(excesses.last ?? .max <= Self.boundMilliseconds, "\(item): milliseconds after the limit: \(excesses)")
    }

    @Test("output that nobody takes does not keep a killed command's run open", arguments: TestIdentity.available)
    func nobodyReads(_ identity: TestIdentity) throws {
        let yard = try Yard(identity)
        let script = """
            mkfifo "$HOME/pipe"
            sleep 40 < "$HOME/pipe" & reader=$!
            "$BAILEY" run --timeout 1s -- yes > "$HOME/pipe" & run=$!
            wait $run; code=$?
            kill -0 $reader && kill $reader
            exit $code
            """
        let result = try yard.outside(script, timeoutSeconds: 60)
        #expect(result.status == 124, "\(result.summary)")
    }

    @Test(
        "while a fork bomb rages, the same account can start programs and sandboxes",
        arguments: TestIdentity.available
    )
    func theMachineStaysUsable(_ identity: TestIdentity) throws {
        let yard = try Yard(identity)
        let bomb = try Background(
            yard,
            [
                "run", "--processes", "100", "--memory", "128MiB", "--timeout", "20s", "--", "/bin/sh", "-c",
                Self.cases[0].script,
            ]
        )
        #expect(Eventually.holds { yard.exists("project/.bailey/runs") })
        let other = try Yard(identity)
        let program = "python3 -c 'import os\nx = bytearray(64 << 20)\np = os.fork()\nif p: os.waitpid(p, 0)'"
        #expect(try other.outside(program).status == 0)
        let run = try other.bailey(["run", "--", "true"])
        #expect(run.status == 0, "\(run.summary)")
        bomb.send(SIGTERM)
        #expect(bomb.end() == 143)
    }
}
