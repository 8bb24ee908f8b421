import Domain
import Egress
import Policy
import Testing

private func source(_ text: String, _ label: String = "config.yml") -> ConfigurationSource {
    ConfigurationSource(label: label, bytes: Array(text.utf8))
}

private func load(operator own: String? = nil, system: String? = nil, project: String? = nil) throws -> Configuration {
    try Configuration.load(
        system: system.map { source($0, "system.yml") },
        operator: own.map { source($0, "operator.yml") },
        project: project.map { source($0, "bailey.yml") }
    )
}

private func failure(_ body: () throws -> Configuration) -> ConfigurationError? {
    do {
        _ = try body()
        return nil
    } catch {
        return error as? ConfigurationError
    }
}

@Suite("the configuration is read in layers")
struct ConfigurationLayerTests {
    @Test(arguments: ["", "\n", "# nothing\n", "---\n", "limits:\n", "limits: {}\nsandbox:\n  # empty\n"])
    func emptyFilesChangeNothing(_ text: String) throws {
        #expect(try load(operator: text) == Configuration())
        #expect(try load(project: text) == Configuration())
    }

    @Test func everyKeyIsRead() throws {
        let text = """
            sandbox:
              engines: [native, landlock]
              readable: [/srv/models, "/data/sets"]
            limits:
              timeout: 90
              memory: 2GiB
              processes: 100
              cpu_time: 2500ms
              output: 1000
              workspace_bytes: 64MiB
              workspace_files: 5000
              open_files: 128
            """
        let configuration = try load(operator: text)
        #expect(configuration.engines == [.native, .landlock])
        #expect(configuration.readable == ["/srv/models", "/data/sets"])
        let limits = configuration.limits.resourceLimits(interactive: true)
        #expect(limits.timeoutSeconds == 90)
        #expect(limits.memoryBytes == 2 << 30)
        #expect(limits.processes == 100)
        #expect(limits.cpuSeconds == 3)
        #expect(limits.outputBytes == 1000)
        #expect(limits.workspaceBytes == 64 << 20)
        #expect(limits.workspaceFiles == 5000)
        #expect(limits.openFiles == 128)
    }

    @Test func theOperatorsFileLiesAboveTheSystems() throws {
        let configuration = try load(
            operator: "limits: {timeout: 5m}",
            system: "limits: {timeout: 1h, memory: 1GiB}\nsandbox: {engines: [bubblewrap]}"
        )
        #expect(configuration.limits.timeoutSeconds == 300)
        #expect(configuration.limits.memoryBytes == 1 << 30)
        #expect(configuration.engines == [.bubblewrap])
    }

    @Test func aProjectOnlyNarrows() throws {
        let configuration = try load(
            operator: "limits: {timeout: 5m, memory: 1GiB}",
            project: "limits: {timeout: 10m, memory: 512MiB, processes: 100000, open_files: 10}"
        )
        let limits = configuration.limits.resourceLimits(interactive: false)
        #expect(limits.timeoutSeconds == 300)
        #expect(limits.memoryBytes == 512 << 20)
        #expect(limits.processes == ResourceLimits().processes)
        #expect(limits.openFiles == 10)
        #expect(limits.cpuSeconds == ResourceLimits().cpuSeconds)
    }

    @Test func aProjectMayNotWidenAnUnsetLimit() throws {
        let limits = try load(project: "limits: {timeout: 10h, output: 1GiB}").limits.resourceLimits(interactive: false)
        #expect(limits.timeoutSeconds == 3600)
        #expect(limits.outputBytes == 64 << 20)
    }

    @Test func aTerminalHasNoLimitOnTimeAndOutputUnlessAsked() throws {
        let none = try load().limits.resourceLimits(interactive: true)
        #expect(none.timeoutSeconds == nil)
        #expect(none.outputBytes == nil)
        #expect(try load(project: "limits: {timeout: 5s}").limits.resourceLimits(interactive: true).timeoutSeconds == 5)
    }

    @Test func theCommandLineLiesAboveTheFiles() throws {
        var flags = LimitSettings()
        flags.timeoutSeconds = 7
        let limits = flags.over(try load(operator: "limits: {timeout: 5m, processes: 9}").limits)
        #expect(limits.timeoutSeconds == 7)
        #expect(limits.processes == 9)
    }
}

@Suite("the network section is read in layers")
struct NetworkConfigurationTests {
    private static let own = """
        network:
          allow: [a.example.com, "*.b.example.com:8443"]
          nat64: ["2001:db8:64::/96"]
          upstreams:
            - { host: model.example.test, port: 443, address: "127.0.0.1:8443", ca: ca.pem }
        """

    @Test func everyKeyIsRead() throws {
        let network = try load(operator: Self.own).network
        #expect(network.allow?.map(\.text) == ["a.example.com", "*.b.example.com:8443"])
        #expect(network.addresses.nat64.map(\.description) == ["2001:db8:64::/96"])
        #expect(network.upstreams.map(\.description) == ["model.example.test:443 at 127.0.0.1:8443"])
        #expect(network.upstreams.first?.certificateAuthority == "ca.pem")
        #expect(network.narrowed == nil)
    }

    @Test func withoutASectionNothingIsListed() throws {
        #expect(try load().network == NetworkPolicy())
    }

    @Test func theOperatorsListReplacesTheSystems() throws {
        let network = try load(operator: "network: {allow: [b.example.com]}", system: Self.own).network
        #expect(network.allow?.map(\.text) == ["b.example.com"])
        #expect(network.upstreams.count == 1)
    }

    @Test func aProjectsListIsBesideTheOperators() throws {
        let network = try load(operator: Self.own, project: "network: {allow: [c.example.com]}").network
        #expect(network.allow?.count == 2)
        #expect(network.narrowed?.map(\.text) == ["c.example.com"])
        let alone = try load(project: "network: {allow: [c.example.com]}").network
        #expect(alone.allow == [])
    }
}

@Suite("a wrong configuration is refused with file, line, key and fix")
struct ConfigurationErrorTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let text: String
        let code: ConfigurationError.Code
        let line: Int?
        let mentions: String
        var testDescription: String { String(text.prefix(40)) }

        init(_ text: String, _ code: ConfigurationError.Code, _ line: Int?, _ mentions: String) {
            self.text = text
            self.code = code
            self.line = line
            self.mentions = mentions
        }
    }

    static let wrong: [Case] = [
        Case("limit:\n  timeout: 1", .unknownKey, 1, "Did you mean limits?"),
        Case("limits:\n  timout: 1", .unknownKey, 2, "Did you mean timeout?"),
        Case("limits:\n  cputime: 1", .unknownKey, 2, "Did you mean cpu_time?"),
        Case("zzz: 1", .unknownKey, 1, "The keys there are"),
        Case("limits:\n  timeout: abc", .badValue, 2, "limits.timeout"),
        Case("limits:\n  timeout: -1", .badValue, 2, "is not a duration"),
        Case("limits:\n  timeout: 0", .badValue, 2, "above zero"),
        Case("limits:\n  timeout: 1e9", .badValue, 2, "1e9"),
        Case("limits:\n  timeout: .inf", .badValue, 2, ".inf"),
        Case("limits:\n  timeout: 99999999999999999999", .badValue, 2, "is not a duration"),
        Case("limits:\n  timeout: \"\"", .badValue, 2, "is not a duration"),
        Case("limits:\n  timeout:", .wrongType, 2, "it is nothing"),
        Case("limits:\n  timeout: [1]", .wrongType, 2, "a list"),
        Case("limits:\n  memory: {a: 1}", .wrongType, 2, "a mapping"),
        Case("limits:\n  memory: lots", .badValue, 2, "is not a size"),
        Case("limits:\n  processes: 1K", .badValue, 2, "is not a count"),
        Case("limits:\n  processes: 1.5", .badValue, 2, "is not a count"),
        Case("limits: 5", .wrongType, 1, "a mapping belongs"),
        Case("- a", .wrongType, 1, "a list stands"),
        Case("just text", .wrongType, 1, "a mapping belongs"),
        Case("sandbox:\n  engines: native", .wrongType, 2, "not a list"),
        Case("sandbox:\n  engines: []", .badValue, 2, "empty"),
        Case("sandbox:\n  engines: [nativ]", .badValue, 2, "Did you mean native?"),
        Case("sandbox:\n  engines: [auto]", .badValue, 2, "The engines are"),
        Case("sandbox:\n  engines: [native, native]", .badValue, 2, "twice"),
        Case("sandbox:\n  readable: [models]", .badValue, 2, "not an absolute path"),
        Case("sandbox:\n  readable: [/a/../b]", .badValue, 2, "`..`"),
        Case("sandbox:\n  readable: [/]", .badValue, 2, "the root"),
        Case("sandbox:\n  readable: [[/a]]", .wrongType, 2, "an entry"),
        Case("limits:\n  timeout: 1\n  timeout: 2", .duplicateKey, nil, "twice"),
        Case("limits: {}\nlimits: {}", .duplicateKey, nil, "twice"),
        Case("a: &x 1", .anchor, 1, "Write the value out"),
        Case("a: &x [*x, *x]", .anchor, 1, "anchor"),
        Case("# \"\n[ \"foo\n # bar\", &a x, *a ]", .anchor, 3, "anchor"),
        Case("a: *x", .syntax, 1, "undefined alias"),
        Case("limits: {}\n---\nlimits: {}", .severalDocuments, nil, "one document"),
        Case("limits:\n\ttimeout: 1", .syntax, 2, "Use spaces"),
        Case("limits: [", .syntax, nil, "not YAML"),
        Case("a: 'b", .syntax, nil, "not YAML"),
        Case("? [a, b]\n: c", .wrongType, 1, "a key is a list"),
        Case("network:\n  forges: [\"10.0.0.1\"]", .badValue, 2, "an address stands where a name belongs"),
        Case("models:\n  extras: [web_search]", .wrongType, 2, "a mapping belongs"),
        Case("models:\n  extras: [{name: web_search}]", .badValue, 2, "has no tokens"),
        Case("models:\n  extras: [{tokens: 5}]", .badValue, 2, "has no name"),
        Case("models:\n  extras: [{name: a, tokens: 0}]", .badValue, 2, "is not a count"),
        Case("models:\n  extras: [{name: a, tokens: 5, money: 1}]", .badValue, 2, "is not an amount"),
        Case("models:\n  extras: [{name: a, token: 5}]", .unknownKey, 2, "Did you mean tokens?"),
        Case("models:\n  extras: [{name: a, tokens: 5}, {name: a, tokens: 6}]", .badValue, 2, "twice"),
        Case("network:\n  alow: [a.example.com]", .unknownKey, 2, "Did you mean allow?"),
        Case("network:\n  allow: a.example.com", .wrongType, 2, "not a list"),
        Case("network:\n  allow:\n    - a.example.com\n    - 10.0.0.1", .badValue, 4, "declared upstream"),
        Case("network:\n  allow: [\"*.com\"]", .badValue, 2, "single label"),
        Case("network:\n  allow: [localhost]", .badValue, 2, "single label"),
        Case("network:\n  allow: [get https://a.com/]", .badValue, 2, "no method"),
        Case("network:\n  nat64: [64:ff9b::/95]", .badValue, 2, "no NAT64 prefix"),
        Case("network:\n  upstreams: {}", .wrongType, 2, "not a list"),
        Case("network:\n  upstreams:\n    - {host: a.test, port: 443}", .badValue, 3, "no address"),
        Case("network:\n  upstreams:\n    - {hots: a.test}", .unknownKey, 3, "Did you mean host?"),
        Case(upstream("host: a.test, port: 0, address: \"10.0.0.1:1\""), .badValue, 3, "no port"),
        Case(upstream("host: a.test, port: 1, address: \"b.test:1\""), .badValue, 3, "fixed address"),
        Case(upstream("host: localhost, port: 1, address: \"10.0.0.1:1\""), .badValue, 3, "sandbox itself"),
        Case("secrets: {}", .wrongType, 1, "not a list"),
        Case("secrets: [a]", .wrongType, 1, "a mapping belongs"),
        Case(secret("name: A"), .badValue, 2, "no host"),
        Case(secret("host: a.example.com"), .badValue, 2, "no name"),
        Case(secret("login: gemini"), .badValue, 2, "claude, codex"),
        Case(secret("login: codex, host: a.example.com"), .badValue, 2, "nothing else"),
        Case(secret("name: A, host: a.example.com, hedaer: x-api-key"), .unknownKey, 2, "Did you mean header?"),
        Case(secret("name: A, host: a.example.com, value: x"), .badValue, 2, "no secret stands in a configuration"),
        Case(secret("name: A-B, host: a.example.com"), .badValue, 2, "no variable's name"),
        Case(secret("name: LD_PRELOAD, host: a.example.com"), .badValue, 2, "for something else"),
        Case(secret("name: A, host: a.example.com, port: 80"), .badValue, 2, "plain HTTP"),
        Case(secret("name: A, host: a.example.com, port: 22"), .badValue, 2, "passed on as it is"),
        Case(secret("name: A, host: a.example.com, port: x"), .badValue, 2, "no port"),
        Case(secret("name: A, host: \"*.example.com\""), .badValue, 2, "not one name"),
        Case(secret("name: A, host: a.example.com, header: user-agent"), .badValue, 2, "no secret travels there"),
        Case(secret("name: A, host: a.example.com, header: x-colour"), .badValue, 2, "not known to carry"),
        Case(secret("name: A, host: a.example.com, scheme: digest"), .badValue, 2, "no scheme"),
        Case(secret("name: A, host: a.example.com, scheme: basic, header: x-api-key"), .badValue, 2, "authorization"),
        Case(secret("name: A, host: a.example.com, user: a, scheme: bearer"), .badValue, 2, "basic"),
        Case(secret("name: A, host: a.example.com, user: \"a:b\", scheme: basic"), .badValue, 2, "no user's name"),
        Case(secret("name: A, host: a.example.com, file: a, command: b"), .badValue, 2, "a file and a command"),
        Case(secret("name: A, host: a.example.com, file: ~/key"), .badValue, 2, "whole path"),
        Case(secret("name: A, host: a.example.com, command: []"), .badValue, 2, "empty"),
        Case(secret("name: A, host: a.example.com, path: /a/../b"), .badValue, 2, "dot segment"),
        Case(secret("name: A, host: a.example.com, method: get"), .badValue, 2, "no method"),
        Case("a: \u{1}b", .notText, 1, "control character"),
        Case("a: b\u{2028}c: d", .notText, 1, "control character"),
        Case(String(repeating: "[", count: 300), .tooLarge, 1, "256"),
        Case(String(repeating: "- ", count: 50) + "a", .tooLarge, 1, "nested too deeply"),
        Case("a: {a: {a: {a: {a: {a: {a: {a: {a: 1}}}}}}}}", .tooLarge, 1, "nested too deeply"),
        Case(String(repeating: "#", count: 70_000), .tooLarge, nil, "bytes"),
    ]

    private static func secret(_ keys: String) -> String { "secrets:\n  - {" + keys + "}" }

    private static func upstream(_ keys: String) -> String { "network:\n  upstreams:\n    - {" + keys + "}" }

    @Test(arguments: wrong)
    func refused(_ wrong: Case) throws {
        let error = try #require(failure { try load(operator: wrong.text) })
        #expect(error.code == wrong.code, "\(error.message)")
        if let line = wrong.line { #expect(error.line == line, "\(error.message)") }
        #expect(error.message.hasPrefix("read the configuration: operator.yml: "))
        #expect(
            (error.message + " " + (error.hint ?? "")).contains(wrong.mentions),
            "\(error.message) \(error.hint ?? "")"
        )
        #expect(error.hint?.hasSuffix(".") == true || error.hint?.hasSuffix("?") == true)
    }

    @Test func bytesThatAreNoText() throws {
        let source = ConfigurationSource(label: "x.yml", bytes: [0x61, 0x3A, 0x20, 0xFF])
        let error = try #require(failure { try Configuration.load(system: source, operator: nil, project: nil) })
        #expect(error.code == .notText)
    }

    @Test(
        "what is the operator's alone is refused in a project's file",
        arguments: [
            "sandbox:\n  engines: [landlock]", "sandbox:\n  readable: [/srv]", "secrets:\n  - {name: A}",
            "network:\n  forges: [a.test]",
            "network:\n  upstreams: []", "network:\n  nat64: []",
        ]
    )
    func operatorOnly(_ text: String) throws {
        let error = try #require(failure { try load(project: text) })
        #expect(error.code == .operatorOnly, "\(error.message)")
        #expect(error.message.contains("only the operator may set it"))
        #expect(error.file == "bailey.yml")
    }

    @Test("a secret goes where its host reads keys, unless the entry says where")
    func secrets() throws {
        let text = """
            network: {forges: [code.example.com]}
            secrets:
              - {name: A, host: api.anthropic.com}
              - {name: B, host: api.example.com, port: 8443, header: X-Token, file: key, method: "GET,HEAD", path: /v1}
              - {name: C, host: gitlab.com, command: [pass, show, c]}
              - {name: D, host: code.example.com}
              - {name: E, host: api.example.com, scheme: basic, user: me}
              - {login: claude}
            """
        let configuration = try load(operator: text)
        let secrets = configuration.secrets
        #expect(configuration.logins == [.claude])
        let slots = secrets.map(\.binding.slot)
        #expect(secrets.map(\.name) == ["A", "B", "C", "D", "E"])
        #expect(slots.map(\.field) == ["x-api-key", "x-token", "authorization", "authorization", "authorization"])
        #expect(slots[2].scheme == .basic(user: "oauth2"))
        #expect(slots[3].scheme == .basic(user: "x-access-token"))
        #expect(slots[4].scheme == .basic(user: "me"))
        #expect(secrets[1].source == .file("key"))
        #expect(secrets[2].source == .command(["pass", "show", "c"]))
        #expect(secrets[1].binding.scope.text == "GET,HEAD https://api.example.com:8443/v1")
    }

    @Test func aMessageHoldsNoControlCharacter() throws {
        let error = try #require(failure { try load(operator: "limits:\n  timeout: \"a\\x1b[2J\"") })
        #expect(!error.message.utf8.contains(0x1B))
        #expect(error.message.contains("\\x1b"))
    }

    @Test("random bytes never crash the reader")
    func fuzz() {
        var state: UInt64 = 7
        func next() -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33)
        }
        let pieces = [
            "limits", ":", " ", "\n", "  ", "timeout", "- ", "[", "]", "{", "}", ",", "\"", "'", "&a", "*a", "!!str ",
            "|", ">", "#", "?", "%YAML 1.1",
            "---", "...", "1h", "sandbox:\n  readable: [", "/srv", "<<", "é", "\u{feff}", "=", "0x10", "null", "~", "@",
            "`",
        ]
        for _ in 0..<3000 {
            let text = (0..<(next() % 24)).map { _ in pieces[next() % pieces.count] }.joined()
            let error = failure { try load(operator: text, project: text) }
            if let error { #expect(error.hint != nil) }
        }
    }
}

@Suite("numbers with units")
struct UnitTextTests {
    @Test(arguments: [
        ("90", 90_000), ("2s", 2000), ("5m", 300_000), ("1h", 3_600_000), ("250ms", 250), ("1d", 86_400_000),
        ("2S", 2000),
    ])
    func durations(_ text: String, _ milliseconds: UInt64) {
        #expect(DurationText(text)?.milliseconds == milliseconds)
    }

    @Test(arguments: [
        ("1000", 1000), ("512K", 524_288), ("64MiB", 67_108_864), ("4GiB", 4_294_967_296), ("1kb", 1000),
        ("2MB", 2_000_000), ("1T", 1 << 40),
        ("7b", 7),
    ])
    func sizes(_ text: String, _ bytes: UInt64) { #expect(ByteSize(text)?.bytes == bytes) }

    @Test(arguments: [
        "", " ", "abc", "-1", "+1", "1e9", "inf", "nan", "0", "0s", "00", "01", "1.5", "1 s", " 1", "1 ", "s", "0x10",
        "１", "1h30m", "1y", "1\u{0}",
        "99999999999999999999", "18446744073709551615h", "400d", "99999999999T", String(repeating: "1", count: 1000),
    ])
    func refused(_ text: String) {
        #expect(DurationText(text) == nil)
        #expect(ByteSize(text) == nil)
        #expect(CountText(text) == nil)
    }
}
