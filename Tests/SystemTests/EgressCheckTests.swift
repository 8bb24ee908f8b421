import Foundation
import TestSupport
import Testing

/// The rows of `Tests/Fixtures/egress/ssrf-cases.tsv`.
struct EgressRow: Sendable {
    let id: String
    let input: String
    let family: String
    let expected: String
    let kind: String
    let policy: String
    let isMust: Bool

    /// Kinds that are judged without a connection.
    static let pureKinds: Set<String> = ["ip", "host", "connect", "url", "dns", "dnsquery"]
    /// Kinds that need a live connection, and are not judged yet.
    static let liveKinds: Set<String> = ["request", "tunnel", "redirect", "socks", "credential"]
    /// Classes of the pure kinds that need what only a machine has: a second lookup, or this host's own addresses.
    static let liveFamilies: Set<String> = ["rebinding", "self"]

    var isJudged: Bool { Self.pureKinds.contains(kind) && !Self.liveFamilies.contains(family) }

    /// The policy `list` of the corpus; `public` is the product's own word.
    static let list: [String] = [
        "api.anthropic.com:443", "*.githubusercontent.com:443", "github.com:443", "github.com:22",
        "files.example.net:443", "example.com:80",
    ]

    static func file() throws -> String {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        return try String(
            contentsOf: root.appendingPathComponent("Fixtures/egress/ssrf-cases.tsv"),
            encoding: .utf8
        )
    }

    static func all() throws -> [EgressRow] {
        try file().split(separator: "\n").dropFirst().map { line in
            let cells = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
            return EgressRow(
                id: cells[0],
                input: decoded(cells[1]),
                family: cells[2],
                expected: cells[3],
                kind: cells[5],
                policy: cells[6],
                isMust: cells[7] == "must"
            )
        }
    }

    /// `\r \n \t \0 \\ \uXXXX`.
    private static func decoded(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        var rest = Array(text.unicodeScalars)[...]
        while let scalar = rest.popFirst() {
            guard scalar == "\\", let next = rest.popFirst() else {
                result.append(scalar)
                continue
            }
            switch next {
            case "r": result.append("\r")
            case "n": result.append("\n")
            case "t": result.append("\t")
            case "0": result.append("\0")
            case "u":
                let digits = String(String.UnicodeScalarView(rest.prefix(4)))
                rest = rest.dropFirst(4)
                if let value = UInt32(digits, radix: 16), let decoded = Unicode.Scalar(value) { result.append(decoded) }
            default: result.append(next)
            }
        }
        return String(result)
    }

    var line: String {
        get throws {
            let policy: Any = policy == "public" ? "public" : ["allow": Self.list]
            let object: [String: Any] = ["kind": kind, "input": input, "policy": policy, "id": id]
            return String(decoding: try JSONSerialization.data(withJSONObject: object), as: UTF8.self)
        }
    }
}

@Suite("bailey egress check tells what may be reached, and why not")
struct EgressCheckTests {
    private func batch(_ lines: [String], in yard: Yard) throws -> [Answer] {
        let result = try yard.bailey(["egress", "check", "--stdin"], input: lines.joined(separator: "\n") + "\n")
        #expect(result.status == 0, "\(result.summary)")
        return try result.stdout.split(separator: "\n").map { try Answer(Data($0.utf8)) }
    }

    @Test("every row that must hold does, of the kinds that need no live connection")
    func corpus() throws {
        let rows = try EgressRow.all()
        #expect(rows.count == 341)
        let kinds = EgressRow.pureKinds.union(EgressRow.liveKinds)
        #expect(Set(rows.map(\.kind)).subtracting(kinds) == [])
        let judged = rows.filter(\.isJudged)
        let answers = try batch(try judged.map { try $0.line }, in: Yard())
        try #require(answers.count == judged.count)
        var passed: [String: (Int, Int)] = [:]
        var choices: [String] = []
        for (row, answer) in zip(judged, answers) {
            let verdict = answer.text("verdict")
            let isRight = verdict == row.expected
            #expect(["allow", "deny"].contains(verdict), "\(row.id) \(answer.text("error") ?? "")")
            #expect(answer.text("reason")?.isEmpty == false && answer.text("rule")?.isEmpty == false, "\(row.id)")
            guard row.isMust else {
                choices.append("\(row.id) \(verdict ?? "")\(isRight ? "" : " (listed: \(row.expected))")")
                continue
            }
            #expect(isRight, "\(row.id) \(row.kind) \(row.input): \(answer.text("reason") ?? "")")
            let (good, all) = passed[row.kind] ?? (0, 0)
            passed[row.kind] = (good + (isRight ? 1 : 0), all + 1)
        }
        for (kind, count) in passed.sorted(by: { $0.key < $1.key }) { print("egress: \(kind) \(count.0)/\(count.1)") }
        print("egress: choice rows: \(choices.joined(separator: ", "))")
        let live = Dictionary(grouping: rows.filter { !$0.isJudged }) { row in
            EgressRow.liveFamilies.contains(row.family) ? row.family : row.kind
        }
        for (kind, rows) in live.sorted(by: { $0.key < $1.key }) {
            print("egress: not judged yet: \(kind) \(rows.count)")
        }
    }

    /// Where the corpus leaves a choice, `docs/network.md` says what was chosen, and it stays.
    @Test("choices are as documented")
    func choices() throws {
        let rows = try EgressRow.all().filter { !$0.isMust && $0.isJudged }
        let answers = try batch(try rows.map { try $0.line }, in: Yard())
        let other = zip(rows, answers).filter { $0.expected != $1.text("verdict") }.map(\.0.id)
        #expect(other == ["E292"])
    }

    @Test("kinds that need a live connection are refused and not guessed", arguments: EgressRow.liveKinds.sorted())
    func liveKinds(_ kind: String) throws {
        let answer = try #require(try batch([#"{"kind":"\#(kind)","input":"x","policy":"public"}"#], in: Yard()).first)
        #expect(answer.text("error")?.contains("live connection") == true)
        #expect(answer.text("verdict") == nil)
    }

    @Test("hostile lines are answered one by one, each with what is wrong and the fix")
    func hostileLines() throws {
        let yard = try Yard()
        let long = String(repeating: "a", count: 1 << 20)
        let lines: [(Data, String)] = [
            (Data("{".utf8), "line 1: it is no JSON"),
            (Data(), "line 2: it is no JSON"),
            (Data([0x22, 0xFF, 0x22]), "line 3: it is no JSON: a string is not valid UTF-8"),
            (Data("[]".utf8), "line 4: it is no object"),
            (Data(#"{"kind":"host","input":"a.com"}"#.utf8), "line 5: the policy is neither"),
            (
                Data(#"{"kind":"host","input":"a.com","policy":{"allow":["*.com"]}}"#.utf8),
                "line 6: com has a single label"
            ),
            (Data(#"{"kind":"host","input":"a.com","policy":{"allow":[1]}}"#.utf8), "line 7: an entry"),
            (Data(#"{"kind":"host","input":"a\u0000.com","policy":"public"}"#.utf8), "a\\x00.com"),
            (Data(#"{"kind":"host","input":"\#(long).com","policy":"public"}"#.utf8), "1048580 bytes"),
            (Data(#"{"kind":"url","input":"http://\#(long).com/","policy":"public"}"#.utf8), "1048588 bytes"),
            (Data(("\"" + String(repeating: "b", count: 5 << 20) + "\"").utf8), "line 11: it is longer than"),
            (Data(#"{"kind":"host","input":"a.com","policy":"public","more":1}"#.utf8), "public name"),
        ]
        let file = yard.project + "/lines"
        try lines.map(\.0).reduce(Data()) { $0 + $1 + Data("\n".utf8) }.write(to: URL(fileURLWithPath: file))
        let result = try yard.outside("\"$BAILEY\" egress check --stdin < lines")
        #expect(result.status == 0, "\(result.stderr)")
        let answers = result.stdout.split(separator: "\n").map(String.init)
        try #require(answers.count == lines.count)
        for (answer, line) in zip(answers, lines) {
            let said = try Answer(Data(answer.utf8))
            let text = (said.text("error") ?? "") + (said.text("reason") ?? "")
            #expect(text.contains(line.1), "\(text.prefix(300))")
            #expect(answer.utf8.count < 1000)
        }
    }

    @Test("the configuration decides, a project only narrows, and the code says whether all may be reached")
    func destinations() throws {
        let yard = try Yard()
        let network = """
            network:
              allow: [api.example.com, "*.files.example.com:8443", "GET,HEAD https://data.example.com/public/"]
              upstreams:
                - { host: model.example.test, port: 443, address: "127.0.0.1:8443" }

            """
        try yard.write(network, to: "config/bailey/config.yml")
        func code(_ destinations: String...) throws -> Int32 {
            try yard.bailey(["egress", "check"] + destinations).status
        }
        #expect(try code("api.example.com", "api.example.com:443", "https://api.example.com/x?y") == 0)
        #expect(try code("a.b.files.example.com:8443", "HEAD https://data.example.com/public/a") == 0)
        #expect(try code("model.example.test:443") == 0)
        for refused in [
            "files.example.com:8443", "a.files.example.com:443", "api.example.com:80", "data.example.com:80",
            "https://data.example.com/private", "POST https://data.example.com/public/a", "127.0.0.1:8443",
            "https://data.example.com/public/../private", "https://data.example.com/public/%2e%2e/private",
            "model.example.test:8443", "169.254.169.254", "localhost:443", "http://api.example.com/",
        ] {
            #expect(try code(refused) == 1, "\(refused)")
        }
        #expect(try code() == 2)
        #expect(try code("--stdin", "a.example.com") == 2)
        let json = try yard.bailey(["egress", "check", "--json", "other.example.com"])
        #expect(json.status == 1)
        #expect(try json.answer.names == ["allowed_by", "destination", "reason", "rule", "verdict"])
        #expect(try json.answer.text("rule") == "network-unlisted")
        #expect(try json.answer.text("allowed_by")?.contains("network: allow") == true)
        try yard.write("network:\n  allow: [api.example.com, more.example.com]\n", to: "project/bailey.yml")
        #expect(try code("api.example.com:443") == 0)
        for refused in ["more.example.com:443", "a.files.example.com:8443", "model.example.test:443"] {
            #expect(try code(refused) == 1, "\(refused)")
        }
    }
}
