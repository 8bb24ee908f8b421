import Foundation
import TestSupport
import Testing

@Suite("scripts are in order")
struct ScriptTests {
    /// Files that a person or a machine starts.
    static let scripts = SourceTree.files.filter { file in
        file.isScript && (file.lines.first?.hasPrefix("#!") ?? false)
    }

    @Test("a script can be started, is plain sh or Python, and stops at the first failure")
    func isInOrder() {
        #expect(Self.scripts.count > 5)
        for script in Self.scripts {
            #expect(SourceTree.isExecutable(script.path), "\(script.path) is not executable")
            switch script.lines.first {
            case "#!/bin/sh":
                #expect(script.lines.contains("set -eu"), "\(script.path) goes on after a failure")
            case "#!/usr/bin/env python3":
                #expect(
                    script.lines.count > 1 && script.lines[1].hasPrefix(#"""""#),
                    "\(script.path) says not what it is"
                )
            case let other:
                Issue.record("\(script.path) is started by \(other ?? "nothing")")
            }
        }
    }

    @Test("a shell script parses", arguments: scripts.filter { $0.lines.first == "#!/bin/sh" }.map(\.path))
    func parses(path: String) throws {
        let result = try ProcessRunner.run("/bin/sh", arguments: ["-n", SourceTree.root + "/" + path])
        #expect(result.status == 0, "\(result.stderr)")
    }

    @Test("a group of tests that does not exist is an error that names the groups", arguments: ["", "nonsense"])
    func refusesUnknownGroup(name: String) throws {
        let result = try ProcessRunner.run(SourceTree.root + "/script/test", arguments: ["--full", name])
        #expect(result.status == 2)
        #expect(result.stderr.contains("projects crash power soak fuzz sanitizers agents"))
    }

    @Test("every benchmark says how it is used", arguments: ["start", "overlay", "hide", "journal", "run", "all"])
    func explainsBenchmark(name: String) throws {
        let result = try ProcessRunner.run(SourceTree.root + "/script/bench", arguments: [name, "--help"])
        #expect(result.status == 0)
        #expect(result.stdout.contains("--rounds"))
    }

    @Test(
        "a benchmark that does not exist, or makes no sense, is an error",
        arguments: [["nonsense"], ["journal", "--rounds", "1"], ["start", "--bailey", "/nonexistent"]]
    )
    func refusesBenchmark(words: [String]) throws {
        let result = try ProcessRunner.run(SourceTree.root + "/script/bench", arguments: words)
        #expect(result.status == 2)
        #expect(!result.stderr.isEmpty)
    }

    @Test("an option where a command belongs is an error")
    func refusesOption() throws {
        let result = try ProcessRunner.run(SourceTree.root + "/script/run", arguments: ["--apply", "auto"])
        #expect(result.status == 2)
        #expect(result.stderr.contains("'--apply'"))
    }
}

@Suite("the launcher's gate can fail")
struct LauncherGateTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let what: String
        let body: String
        let exitCode: Int32
        var testDescription: String { what }
    }

    @Test(arguments: [
        Case(what: "system calls only", body: "for i in 0..<count { _ = close(i) }", exitCode: 0),
        Case(what: "an array that grows", body: "keep((0..<count).map { $0 &* $0 })", exitCode: 1),
        Case(what: "C's allocator", body: "memory = malloc(Int(count))", exitCode: 1),
        Case(what: "a call through a pointer", body: "action(count)", exitCode: 1),
        Case(what: "text", body: "print(count)", exitCode: 1),
    ])
    func judges(example: Case) throws {
        let directory = try TemporaryDirectory("bailey-gate")
        try directory.write(
            """
            import Glibc

            nonisolated(unsafe) public var kept: [Int32] = []
            nonisolated(unsafe) public var memory: UnsafeMutableRawPointer?
            @inline(never) func keep(_ values: [Int32]) { kept = values }
            struct SandboxInit {
                let count: Int32
                let action: @convention(c) (Int32) -> Void
                @inline(never) func main() {
                    \(example.body)
                }
            }
            public func start(_ count: Int32, _ action: @convention(c) (Int32) -> Void) {
                SandboxInit(count: count, action: action).main()
            }
            """,
            to: "LauncherCore.swift"
        )
        let object = directory.path + "/a.o"
        let compiler = try ProcessRunner.run(
            "/usr/bin/env",
            arguments: [
                "swiftc", "-O", "-parse-as-library", "-module-name", "LauncherCore", "-emit-object",
                directory.path + "/LauncherCore.swift", "-o", object,
            ],
            currentDirectory: directory.path
        )
        try #require(compiler.status == 0, "\(compiler.stderr)")
        let gate = try ProcessRunner.run(SourceTree.root + "/script/check-launcher", arguments: ["--object", object])
        #expect(gate.status == example.exitCode, "\(gate.stdout)\(gate.stderr)")
    }

    @Test("objects without the launcher are an error, not a pass")
    func refusesNothing() throws {
        let script = SourceTree.root + "/script/check-launcher"
        let gate = try ProcessRunner.run(script, arguments: ["--object", "/bin/true"])
        #expect(gate.status == 2)
    }
}
