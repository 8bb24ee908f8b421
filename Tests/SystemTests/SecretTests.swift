import Foundation
import TestSupport
import Testing

@Suite("a secret is read outside, and inside is what stands for it")
struct SecretTests {
    /// Another one for each test, of the length of a key.
    private static func value() -> String {
        let alphabet = Array("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
        return String((0..<48).map { _ in alphabet[Int.random(in: 0..<alphabet.count)] })
    }

    private static func put(_ value: String, _ yard: Yard, _ name: String, mode: Int = 0o600) throws -> String {
        try yard.write(value, to: name)
        let path = yard.path + "/" + name
        try FileManager.default.setAttributes([.posixPermissions: mode], ofItemAtPath: path)
        return path
    }

    @Test("a variable holds a placeholder of the same form, and nothing inside holds the value")
    func environment() throws {
        let yard = try Yard()
        // An issuer's word that programs look for; the rest is made up here.
        let value = "sk-ant-" + "api03-" + Self.value()
        let arguments = ["--secret", "KEY=api.anthropic.com", "--secret", "OTHER=api.example.com:8443:x-token"]
        let script = "printf '%s\n' \"$KEY\"; env; cat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr '\\0' '\\n'"
        let result = try yard.bailey(["run"] + arguments + ["--", "/bin/sh", "-c", script], with: ["KEY": value])
        #expect(result.status == 0, "\(result.summary)")
        let first = result.stdout.split(separator: "\n").first.map(String.init) ?? ""
        #expect(first.hasPrefix("sk-ant-" + "api03-") && first.utf8.count == value.utf8.count && first != value)
        #expect(!result.stdout.contains(value) && !result.stdout.contains("KEY_FILE"))
        #expect(result.stderr.contains("the secret OTHER has no value here"))
        let again = try yard.bailey(["run"] + arguments + ["--", "/bin/sh", "-c", "echo $KEY"], with: ["KEY": value])
        #expect(again.stdout != first + "\n")
        let journal = try yard.read("project/.bailey/runs/\(yard.lastRun())/journal/journal.jsonl")
        #expect(!journal.contains(value))
        #expect(journal.contains("\"secrets\":[{") && journal.contains("x-token"))
    }

    @Test("bailey's own environment does not show the value while the command runs")
    func ownEnvironment() throws {
        let yard = try Yard()
        let value = Self.value()
        let run = try Background(
            yard,
            ["run", "--secret", "KEY=api.example.com", "--", "/bin/sh", "-c", "echo started; sleep 20"],
            with: ["KEY": value],
            output: yard.path + "/out"
        )
        defer { run.send(SIGTERM) }
        #expect(try Eventually.holds { try yard.read("out").contains("started") })
        let environ = try Data(contentsOf: URL(fileURLWithPath: "/proc/\(run.processID)/environ"))
        let text = String(decoding: environ, as: UTF8.self)
        #expect(text.contains("KEY=") && !text.contains(value))
        let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(run.processID)/fd")
        let memory = descriptors.filter { number in
            let path = "/proc/\(run.processID)/fd/\(number)"
            let target = (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) ?? ""
            guard target.contains("memfd") else { return false }
            return (try? Data(contentsOf: URL(fileURLWithPath: path)))?.range(of: Data(value.utf8)) != nil
        }
        #expect(memory.isEmpty)
    }

    /// One wrong secret: how it is asked for, and what the answer must name.
    struct Wrong: CustomTestStringConvertible, Sendable {
        let name: String
        var options: [String] = []
        var configuration = ""
        var variables: [String: String] = [:]
        var code: Int32 = 125
        let says: [String]

        var testDescription: String { name }
    }

    private static let wrongs = [
        Wrong(name: "plain HTTP", options: ["KEY=api.example.com:80"], code: 2, says: ["KEY", "plain HTTP", "443"]),
        Wrong(name: "a spliced port", options: ["KEY=db.example.com:5432"], code: 2, says: ["5432", "HTTPS"]),
        Wrong(
            name: "two slots",
            options: ["KEY=api.example.com", "KEY=api.example.com:x-api-key"],
            says: ["KEY", "api.example.com:443", "authorization", "x-api-key", "keep one"]
        ),
        Wrong(
            name: "two secrets",
            options: ["KEY=api.example.com", "OTHER=api.example.com:x-api-key"],
            says: ["KEY", "OTHER", "api.example.com:443", "one secret"]
        ),
        Wrong(
            name: "an unknown header",
            options: ["KEY=api.example.com:x-colour"],
            code: 2,
            says: ["x-colour", "not known to carry a credential", "x-api-key"]
        ),
        Wrong(
            name: "a header that others see",
            options: ["KEY=api.example.com:443:user-agent"],
            code: 2,
            says: ["user-agent", "no secret travels there"]
        ),
        Wrong(name: "no host", options: ["KEY"], code: 2, says: ["KEY", "names no host"]),
        Wrong(name: "all hosts", options: ["KEY=*.example.com"], code: 2, says: ["not one name"]),
        Wrong(name: "no name", options: ["A-B=api.example.com"], code: 2, says: ["no variable's name"]),
        Wrong(name: "a path", options: ["PATH=api.example.com"], code: 2, says: ["PATH", "a name of its own"]),
        Wrong(name: "an address", options: ["KEY=10.0.0.1"], code: 2, says: ["10.0.0.1", "upstream"]),
        Wrong(
            name: "an empty variable",
            options: ["KEY=api.example.com"],
            variables: ["KEY": ""],
            says: ["the secret KEY", "is empty"]
        ),
        Wrong(
            name: "two lines",
            options: ["KEY=api.example.com"],
            variables: ["KEY": "first line\nsecond line\n"],
            says: ["the secret KEY", "more than one line"]
        ),
        Wrong(
            name: "a control character",
            options: ["KEY=api.example.com"],
            variables: ["KEY": "made-up\u{7}-value"],
            says: ["the secret KEY", "control character"]
        ),
        Wrong(
            name: "a short one",
            options: ["KEY=api.example.com"],
            variables: ["KEY": "abc"],
            says: ["the secret KEY", "3 bytes"]
        ),
        Wrong(
            name: "a file that is named by a part of its path",
            options: ["KEY=api.example.com"],
            variables: ["KEY_FILE": "key"],
            says: ["KEY_FILE", "whole path"]
        ),
        Wrong(
            name: "plain HTTP on its port",
            configuration: """
                network: {allow: ["http://api.example.com:8443/"]}
                secrets: [{name: KEY, host: api.example.com, port: 8443}]
                """,
            says: ["KEY", "http://api.example.com:8443/", "plain HTTP"]
        ),
        Wrong(
            name: "two places for one value",
            configuration: """
                secrets:
                  - {name: KEY, host: api.example.com, command: [echo, a]}
                  - {name: KEY, host: files.example.com, command: [echo, b]}
                """,
            says: ["KEY", "two places for its value"]
        ),
        Wrong(
            name: "a command that fails",
            configuration: "secrets: [{name: KEY, host: api.example.com, command: [sh, -c, exit 3]}]",
            says: ["KEY", "sh", "exit code 3"]
        ),
        Wrong(
            name: "a command that is killed",
            configuration: "secrets: [{name: KEY, host: api.example.com, command: [sh, -c, kill -9 $$]}]",
            says: ["KEY", "signal 9"]
        ),
        Wrong(
            name: "a command that writes too much",
            configuration: "secrets: [{name: KEY, host: api.example.com, command: [cat, /dev/zero]}]",
            says: ["KEY", "more than 8192 bytes"]
        ),
        Wrong(
            name: "a command that says nothing",
            configuration: "secrets: [{name: KEY, host: api.example.com, command: \"true\"}]",
            says: ["KEY", "is empty"]
        ),
        Wrong(
            name: "no such command",
            configuration: "secrets: [{name: KEY, host: api.example.com, command: [no-such-command]}]",
            says: ["KEY", "no-such-command", "no such program"]
        ),
        Wrong(
            name: "the secret itself in a configuration",
            configuration: "secrets: [{name: KEY, host: api.example.com, value: made-up}]",
            says: ["no secret stands in a configuration", "mode 600"]
        ),
    ]

    @Test("what is wrong with a secret is said before anything runs", arguments: wrongs)
    func refused(_ wrong: Wrong) throws {
        let yard = try Yard()
        if !wrong.configuration.isEmpty { try yard.write(wrong.configuration, to: "config/bailey/config.yml") }
        let options = wrong.options.flatMap { ["--secret", $0] }
        let result = try yard.bailey(["run"] + options + ["--", "true"], with: wrong.variables)
        #expect(result.status == wrong.code, "\(result.summary)")
        for text in wrong.says { #expect(result.stderr.contains(text), "\(text): \(result.summary)") }
        #expect(result.stderr.contains("bailey: hint: "), "\(result.summary)")
        for value in wrong.variables.values where !value.isEmpty && value != "key" {
            #expect(!result.stderr.contains(value))
        }
        #expect(try yard.runs().isEmpty)
    }

    @Test("a secret cannot be passed by --env, nor where it lies")
    func passed() throws {
        let yard = try Yard()
        for name in ["KEY", "KEY=made-up-value", "KEY_FILE"] {
            let arguments = ["run", "--secret", "KEY=api.example.com", "--env", name, "--", "true"]
            let result = try yard.bailey(arguments, with: ["KEY": Self.value(), "KEY_FILE": "/made/up"])
            #expect(result.status == 2 && result.stderr.contains("is a secret of this run"), "\(result.summary)")
        }
    }

    @Test("a file is read with care", arguments: TestIdentity.available)
    func files(_ identity: TestIdentity) throws {
        let yard = try Yard(identity)
        let value = Self.value()
        func run(_ path: String) throws -> ProcessResult {
            try yard.bailey(
                ["run", "--secret", "KEY=api.example.com", "--", "/bin/sh", "-c", "printf %s \"$KEY\" | wc -c"],
                with: ["KEY_FILE": path]
            )
        }
        func refused(_ path: String, _ says: String...) throws {
            let result = try run(path)
            #expect(result.status == 125, "\(result.summary)")
            for text in says { #expect(result.stderr.contains(text), "\(text): \(result.summary)") }
            #expect(!result.stderr.contains(value))
        }
        let good = try Self.put(value + "\n", yard, "home/good")
        let read = try run(good)
        #expect(read.stdout.trimmingCharacters(in: .whitespaces) == "48\n", "\(read.summary)")
        #expect(try run(yard.path + "/home/absent").stderr.contains("has no value here"))
        try refused(try Self.put(value, yard, "home/open", mode: 0o640), "others can read it", "chmod 600")
        try refused(try Self.put("", yard, "home/empty"), "is empty")
        try refused(try Self.put(value, yard, "project/key"), "commands see what lies in")
        try refused(yard.path + "/home", "no regular file")
        let long = try Self.put(String(repeating: "a", count: 70_000), yard, "home/long")
        try refused(long, "more than")
        try FileManager.default.createSymbolicLink(atPath: yard.path + "/home/link", withDestinationPath: good)
        try refused(yard.path + "/home/link", "symbolic link")
        let second = try Self.put(value, yard, "home/first")
        try FileManager.default.linkItem(atPath: second, toPath: yard.path + "/home/second")
        try refused(second, "2 names")
        if case .ordinary = identity, getuid() == 0 {
            let other = try Self.put(value, yard, "home/other")
            #expect(chown(other, 1, 1) == 0)
            try refused(other, "Permission denied")
        }
    }

    @Test("a command that hangs is ended with its children", .timeLimit(.minutes(2)))
    func hangs() throws {
        let yard = try Yard()
        let word = "31\(UInt16.random(in: 1000...9999))"
        try yard.write(
            "secrets: [{name: KEY, host: api.example.com, command: [sh, -c, \"sleep \(word) & sleep \(word)\"]}]",
            to: "config/bailey/config.yml"
        )
        let result = try yard.bailey(["run", "--", "true"])
        #expect(result.status == 125 && result.stderr.contains("within 30 s"), "\(result.summary)")
        #expect(Eventually.holds { Leftovers.processes("sleep \(word)").isEmpty })
    }

    @Test("a project cannot name secrets")
    func project() throws {
        let yard = try Yard()
        try yard.write("secrets: [{name: KEY, host: api.example.com}]", to: "project/bailey.yml")
        let result = try yard.bailey(["run", "--", "true"], with: ["KEY": Self.value()])
        #expect(result.status == 125 && result.stderr.contains("only the operator may set it"), "\(result.summary)")
    }

    @Test("doctor warns of files that others can read, and finds a secret in a configuration")
    func doctor() throws {
        let yard = try Yard()
        _ = try Self.put(Self.value(), yard, "config/bailey/key", mode: 0o644)
        let login = try Self.put("{}", yard, "home/.codex/auth.json", mode: 0o640)
        try yard.write("secrets: [{name: KEY, host: api.example.com, file: key}]", to: "config/bailey/config.yml")
        let warned = try yard.bailey(["doctor"])
        #expect(warned.stdout.contains("the secret KEY: \(yard.path)/config/bailey/key has mode 644"))
        #expect(warned.stdout.contains("the login codex-login: \(login) has mode 640"))
        #expect(warned.stdout.contains("chmod 600 \(login)"))
        // An issuer's word with something made up behind it.
        let key = "gh" + "p_" + Self.value().prefix(36)
        try yard.write("# \(key)\nsecrets: []\n", to: "config/bailey/config.yml")
        let found = try yard.bailey(["doctor"])
        #expect(found.status == 1 && found.stdout.contains("holds what looks like a secret"), "\(found.summary)")
        #expect(!found.stdout.contains(key))
    }
}
