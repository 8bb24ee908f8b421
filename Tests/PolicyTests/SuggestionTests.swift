import Domain
import Egress
import Testing

@testable import Policy

@Suite("A suggestion is the smallest entry that allows what was refused, and nothing that its asker wrote into it")
struct SuggestionTests {
    private static let run = RunID.make(milliseconds: 1, random: 2)

    private static func refused(
        _ what: RefusedAccess.What,
        _ rule: String = "network-unlisted",
        line: UInt64 = 7,
        count: UInt64 = 1,
        reason: String = "it is not listed"
    ) -> RefusedAccess {
        RefusedAccess(what, rule: rule, reason: reason, remedy: nil, count: count, source: .init(run: run, line: line))
    }

    private static func get(_ path: String, _ host: String = "api.example.com", _ rule: String = "network-request")
        -> RefusedAccess
    { refused(.request(method: "GET", host: host, port: 443, path: path), rule) }

    private static func configuration(_ own: String = "", project: String? = nil) throws -> Configuration {
        func source(_ text: String) -> ConfigurationSource {
            ConfigurationSource(label: "t.yml", bytes: Array(text.utf8))
        }
        return try Configuration.load(system: nil, operator: source(own), project: project.map(source))
    }

    private static func suggest(
        _ accesses: [RefusedAccess],
        _ own: String = "",
        project: String? = nil,
        alarmed: Set<String> = []
    ) throws -> (PolicySuggestion, [String]) {
        let configuration = try configuration(own, project: project)
        let suggestion = PolicySuggestion(accesses, configuration: configuration, alarmed: alarmed) { _ in nil }
        let text = SuggestionText(
            suggestion,
            configuration,
            operatorFile: "/c/config.yml",
            projectFile: "/p/bailey.yml"
        )
        return (suggestion, text.lines)
    }

    /// What the operator's file says once it holds the lines.
    private static func taken(_ lines: [String]) throws -> Configuration {
        try configuration(lines.joined(separator: "\n") + "\n")
    }

    @Test(
        "the entry covers what was seen",
        arguments: [
            (refused(.connection(host: "api.example.com", port: 443)), "api.example.com"),
            (refused(.connection(host: "api.example.com", port: 8443), "network-port"), "api.example.com:8443"),
            (refused(.name("api.example.com")), "api.example.com"),
            (get("/v1/models"), "GET https://api.example.com/v1/models"),
            (
                refused(.request(method: "POST", host: "a.example.com", port: 80, path: "/x")),
                "POST http://a.example.com/x"
            ),
            (get("/chat", "ws.example.com", "network-websocket"), "https://ws.example.com/chat"),
            (refused(.request(method: "PUT", host: "a.example.com", port: 9000, path: "/x")), "a.example.com:9000"),
            (get("/it's/\"quoted\"/&x-&y", "a.example.com"), "GET https://a.example.com/it's/\"quoted\"/&x-&y"),
        ]
    )
    func entry(_ access: RefusedAccess, _ text: String) throws {
        let (suggestion, lines) = try Self.suggest([access])
        guard suggestion.refusals.isEmpty else {
            // What the reader of the file does not take is said and not suggested.
            #expect(text.contains("&x") && suggestion.entries.isEmpty, "\(suggestion.refusals)")
            return
        }
        #expect(suggestion.entries.map(\.text) == [text])
        #expect(lines.contains { $0.contains("\(Self.run) line 7: it is not listed") }, "\(lines)")
        #expect(try Self.taken(lines).network.allow?.map(\.text) == [text])
    }

    @Test("one line for each host and path: methods join, look-ups and what a host's entry covers go with it")
    func smallest() throws {
        let post = Self.refused(
            .request(method: "POST", host: "api.example.com", port: 443, path: "/v1"),
            "network-request"
        )
        let (suggestion, _) = try Self.suggest([
            Self.get("/v1"), post, Self.get("/v1"), Self.refused(.name("api.example.com")),
            Self.get("/a", "b.example.com"), Self.refused(.connection(host: "b.example.com", port: 443)),
        ])
        #expect(suggestion.entries.map(\.text) == ["GET,POST https://api.example.com/v1", "b.example.com"])
        #expect(suggestion.entries.map(\.count) == [4, 2])
        #expect(suggestion.refusals.isEmpty)
    }

    @Test("what the configuration has is kept, and what it allows already is only said")
    func merged() throws {
        let own =
            "network:\n  allow: [old.example.com, \"GET https://x.example.com/it's\"]\nsandbox:\n  readable: [/srv/a]\n"
        let (suggestion, lines) = try Self.suggest(
            [
                Self.refused(.connection(host: "new.example.com", port: 443)),
                Self.refused(.connection(host: "old.example.com", port: 443)),
                Self.refused(.execution(path: "/srv/b"), "not-visible"),
            ],
            own
        )
        let after = try Self.taken(lines)
        #expect(
            after.network.allow?.map(\.text) == [
                "old.example.com", "GET https://x.example.com/it's", "new.example.com",
            ]
        )
        #expect(after.readable == ["/srv/a", "/srv/b"])
        #expect(suggestion.refusals.map(\.why) == ["the configuration allows it already"])
    }

    @Test(
        "what no configuration lifts is never an entry",
        arguments: [
            (refused(.connection(host: "169.254.169.254", port: 80), "address-metadata"), "metadata"),
            (refused(.connection(host: "127.0.0.1", port: 80), "address-loopback"), "upstream"),
            (refused(.connection(host: "10.0.0.1", port: 443)), "names"),
            (refused(.name("metadata.google.com"), "name-metadata"), "metadata"),
            (refused(.name("db.internal"), "name-internal"), "upstream"),
            // The record says one thing and the host another: the host is believed.
            (refused(.connection(host: "localhost", port: 443)), "single label"),
            (refused(.name("metadata.google.com")), "metadata"),
            (
                refused(
                    .request(method: "POST", host: "github.com", port: 443, path: "/a/git-receive-pack"),
                    "git-push"
                ), "push"
            ),
            (refused(.connection(host: "a.example.com", port: 443), "credential-placeholder"), "alarm"),
            (refused(.connection(host: "203.0.113.9", port: 443), "network-none"), "--allow-host"),
            (refused(.other("connect /run/docker.sock"), "host-socket"), "host-socket"),
            (refused(.connection(host: "github.com", port: 443), "client-pins"), "forge"),
            (get("/a/../b"), "dot segment"), (get("/a/********/b"), "secret"), (get("/a?b=c"), "none that an entry"),
            (get("/" + String(repeating: "a", count: 600)), "longer"),
            (refused(.name("пример.example")), "ASCII"),
        ]
    )
    func never(_ access: RefusedAccess, _ word: String) throws {
        let (suggestion, lines) = try Self.suggest([access])
        #expect(suggestion.entries.isEmpty && suggestion.projectEntries.isEmpty, "\(lines)")
        #expect(suggestion.refusals.count == 1 && suggestion.refusals[0].why.contains(word), "\(suggestion.refusals)")
        #expect(lines.allSatisfy { $0.hasPrefix("#") }, "\(lines)")
        #expect(try Self.taken(lines) == Self.configuration())
    }

    @Test("a host to which a secret was on its way is not suggested")
    func alarm() throws {
        let access = Self.refused(.connection(host: "a.example.com", port: 443))
        let (suggestion, _) = try Self.suggest([access], alarmed: ["a.example.com"])
        #expect(suggestion.entries.isEmpty && suggestion.refusals[0].why.contains("secret"))
    }

    /// Texts that would be lines of a file, or a terminal's orders, or another name.
    private static let hostile = [
        "a.example.com\n    - evil.example.com", "a.example.com'\n    - 'evil.example.com", "*.example.com", "*",
        "a.example.com # harmless", "{a: b}", "a.example.com\u{2028}- evil", "\u{202E}moc.elpmaxe",
        "a.example.com\u{85}x",
        "!!binary x", "- x", "a.example.com: [\"*.com\"]", "\u{1B}]2;x\u{07}", "a.example.com%0a", "&a x", "|\n x",
    ]

    @Test("names that would break out of the file stay in a comment of one line", arguments: hostile)
    func injection(_ text: String) throws {
        let accesses = [
            Self.refused(.name(text), reason: text), Self.refused(.connection(host: text, port: 443), reason: text),
            Self.get("/x" + text), Self.get(text), Self.refused(.execution(path: text), "not-visible"),
            Self.refused(.execution(path: "/srv/" + text), "not-visible"),
            Self.refused(.other(text), text, reason: text),
            Self.refused(.request(method: text, host: "a.example.com", port: 443, path: "/"), reason: text),
            Self.refused(.connection(host: "b.example.com", port: 443), reason: text),
        ]
        let (suggestion, lines) = try Self.suggest(accesses)
        for line in lines {
            #expect(line.unicodeScalars.allSatisfy { (0x20...0x7E).contains($0.value) || $0.value > 0xA0 }, "\(line)")
        }
        let after = try Self.taken(lines)
        let allowed = after.network.allow?.map(\.text) ?? []
        #expect(allowed == suggestion.entries.filter { $0.key == .networkAllow }.map(\.text))
        #expect(
            allowed.allSatisfy { !$0.contains("*.") && !$0.contains("evil") || $0.contains("https://") },
            "\(allowed)"
        )
        for rule in after.network.allow ?? [] {
            guard case .exactly(let name) = rule.names else { return #expect(Bool(false), "a wildcard: \(rule)") }
            #expect(["a.example.com", "b.example.com", "api.example.com"].contains(name.text), "\(rule)")
        }
    }

    @Test("a project's own list that narrows is named, and its file is not the operator's")
    func narrowed() throws {
        let (suggestion, lines) = try Self.suggest(
            [
                Self.refused(.connection(host: "a.example.com", port: 443)),
                Self.refused(.connection(host: "b.example.com", port: 443)),
            ],
            "network:\n  allow: [a.example.com]\n",
            project: "network:\n  allow: [c.example.com]\n"
        )
        #expect(suggestion.entries.map(\.text) == ["b.example.com"])
        #expect(suggestion.projectEntries.map(\.text) == ["a.example.com", "b.example.com"])
        #expect(lines.contains { $0.hasPrefix("# ") && $0.contains("/p/bailey.yml") })
        #expect(try Self.taken(lines).network.allow?.map(\.text) == ["a.example.com", "b.example.com"])
    }

    @Test(
        "what is no ordinary name is pointed out",
        arguments: [
            ("github.com", "forge"), ("github.com.example.net", "not github.com"), ("gitnub.com", "not github.com"),
            ("api-openai-com.example.net", "not openai.com"), ("pastebin.com", "anybody"), ("x.ngrok.io", "anybody"),
            ("me.github.io", "anybody can have"), ("xn--e1afmkfd.example", "ASCII"),
            ("a234567890b234567890c234567890d234567890e.example.net", "carry data"),
        ]
    )
    func cautions(_ host: String, _ word: String) throws {
        let (suggestion, lines) = try Self.suggest([
            Self.refused(.connection(host: host, port: 443), count: 9),
            Self.refused(.connection(host: "z.example.org", port: 443)),
        ])
        let entry = suggestion.entries.last
        #expect(entry?.text == host && entry?.cautions.contains { $0.contains(word) } == true, "\(suggestion.entries)")
        #expect(suggestion.entries.first?.cautions == [], "an ordinary name comes first, with nothing said of it")
        #expect(lines.contains { $0.hasPrefix("    # CAUTION: ") && $0.contains(word) })
    }

    @Test("many names of one domain are pointed out, and more than a person reads are only counted")
    func many() throws {
        let names = (0..<60).map { Self.refused(.name("d\($0).example.net"), line: UInt64($0 + 1)) }
        let (suggestion, lines) = try Self.suggest(names)
        #expect(suggestion.entries.count == PolicySuggestion.entriesMax && suggestion.leftOut == 20)
        #expect(
            suggestion.entries.allSatisfy { $0.cautions.contains { $0.contains("60 different names of example.net") } }
        )
        #expect(lines.last == "# 20 more are not shown: take these first, and run again.")
    }

    @Test("whatever fills the comments, the file can be read and holds what is well founded")
    func flood() throws {
        let marks = String(repeating: "[{&x-&y\u{1F600}", count: 200)
        let floods = (0..<300).map { Self.refused(.other("\($0)" + marks), "host-socket", reason: marks) }
        let named = (0..<60).map { number in
            Self.get("/" + String(repeating: "p", count: 480) + "\(number)", "h\(number).example\(number).com")
        }
        let own = "network:\n  allow:\n" + (0..<200).map { "    - host\($0).example.org\n" }.joined()
        let (_, lines) = try Self.suggest(floods + named, own)
        let allowed = try Self.taken(lines).network.allow ?? []
        #expect(allowed.count > 200 && allowed.prefix(200).allSatisfy { $0.text.hasSuffix(".example.org") })
        #expect(lines.last?.contains("more are not shown") == true)
    }
}
