import Egress
import Foundation
import TestSupport
import Testing

/// Another implementation of the WHATWG URL standard: the PyPI package `ada-url`, in a place of its own.
enum AdaURL {
    /// The interpreter that has the package, or why there is none.
    static let interpreter: Result<Python, Missing> = {
        do {
            let base = try TemporaryDirectory("bailey-ada")
            let script = """
                (uv venv -q "$1/venv" && uv pip install -q --python "$1/venv/bin/python" ada-url) ||
                { rm -rf "$1/venv"; python3 -m venv "$1/venv" && "$1/venv/bin/pip" install -q ada-url; }
                "$1/venv/bin/python" -c 'import ada_url'
                """
            let made = try ProcessRunner.run(
                "/bin/sh",
                arguments: ["-c", script, "sh", base.path],
                environment: ProcessInfo.processInfo.environment,
                timeoutSeconds: 120
            )
            guard made.status == 0 else {
                return .failure(Missing(reason: "ada-url cannot be had: \(made.stderr.suffix(200))"))
            }
            atexit { if case .success(let python) = AdaURL.interpreter { python.remove() } }
            return .success(Python(base: base))
        } catch {
            return .failure(Missing(reason: "\(error)"))
        }
    }()

    struct Missing: Error { let reason: String }

    struct Python: Sendable {
        let base: TemporaryDirectory
        var path: String { base.path + "/venv/bin/python" }
        func remove() { try? FileManager.default.removeItem(atPath: base.path) }
    }
}

@Suite(
    "the host and URL parsers read what browsers read",
    .serialized,
    .enabled("ada-url can be installed") { (try? AdaURL.interpreter.get()) != nil }
)
struct ParserComparisonTests {
    private static let pieces = [
        "a", "example", "com", "xn--mnchen-3ya", "xn--a", "xn--", "0", "1", "127", "255", "256", "0x7f", "0X", "017",
        "08",
        "1e0", "4294967295", "4294967296", ".", ".", ".", ".", "..", "-", "_", "%2e", "%31", "%61", "%", "%0", "%00",
        "%40",
        "*", "!", "$", "&", "'", "(", ")", ",", ";", "=", "~", "{", "}", "`", "\"", "|", "^", "<", ">", "[", "]", "A",
        "Z",
    ]
    private static let sixes = [
        "[", "]", ":", "::", "0", "1", "ffff", "abcd", "12345", "127.0.0.1", "1.2", "%25", "g", ":",
    ]

    private static func hosts(_ count: Int) -> [String] {
        var chance = Chance()
        return (0..<count).map { round in
            if round % 4 == 0 {
                return "[" + (0..<(1 + chance.next(12))).map { _ in sixes[chance.next(sixes.count)] }.joined() + "]"
            }
            return (0..<(1 + chance.next(9))).map { _ in pieces[chance.next(pieces.count)] }.joined()
        }
    }

    private static let webPieces = [
        "http:", "https:", "http://", "https://", "//", "/", "/", ":", ":80", ":443", ":8080", ":0", ":99999", "@", "?",
        "#",
        "\\", "a.com", "127.0.0.1", "[::1]", "0x7f.1", "b", "..", "%2e", " ", "\t", "%40", "u:p@",
    ]

    private static func urls(_ count: Int) -> [String] {
        var chance = Chance()
        return (0..<count).map { round in
            let start = round % 2 == 0 ? "http://" : ""
            return start + (0..<(1 + chance.next(7))).map { _ in webPieces[chance.next(webPieces.count)] }.joined()
        }
    }

    /// What the other parser makes of URLs: protocol, host and port, or nothing where it refuses.
    private static func answers(_ urls: [String]) throws -> [[String]?] {
        let program = """
            import sys, json, ada_url
            for line in sys.stdin:
                try:
                    url = ada_url.URL(json.loads(line))
                    print(json.dumps([url.protocol, url.hostname, url.port]))
                except Exception: print("[]")
            """
        let lines = try urls.map { url in
            String(decoding: try JSONSerialization.data(withJSONObject: url, options: .fragmentsAllowed), as: UTF8.self)
        }
        let result = try ProcessRunner.run(
            AdaURL.interpreter.get().path,
            arguments: ["-c", program],
            standardInput: Data((lines.joined(separator: "\n") + "\n").utf8),
            timeoutSeconds: 120
        )
        let answers = try result.stdout.split(separator: "\n").map { line in
            try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String]
        }
        try #require(answers.count == urls.count, "\(result.stderr)")
        return answers.map { $0?.isEmpty == false ? $0 : nil }
    }

    @Test("over hosts made by chance: the same verdict and the same host")
    func hosts() throws {
        let hosts = Self.hosts(20_000)
        var both = 0
        for (host, answer) in zip(hosts, try Self.answers(hosts.map { "http://\($0)/" })) {
            let ours = (try? WHATWGHost(Array(host.utf8))).map(\.description)
            #expect(ours == answer?[1], "\(host)")
            if ours != nil { both += 1 }
            // What the policy lets through is what a browser connects to, but for the one final dot.
            guard let strict = try? Host(Array(host.utf8)) else { continue }
            #expect(strict.description == answer?[1] || strict.description + "." == answer?[1], "\(host)")
        }
        #expect(both > 1000 && both < hosts.count - 1000)
    }

    /// Ours refuses more, as `docs/network.md` says; what it reads, others read the same.
    @Test("over URLs made by chance: what is read has the same scheme, host and port")
    func urls() throws {
        let urls = Self.urls(40_000)
        var read = 0
        for (url, answer) in zip(urls, try Self.answers(urls)) {
            guard let ours = try? WebAddress(Array(url.utf8)) else { continue }
            read += 1
            let standard = ours.scheme == .http ? 80 : 443
            let port = Int(ours.target.port) == standard ? "" : String(ours.target.port)
            #expect(answer == [ours.scheme.rawValue + ":", ours.target.host.description, port], "\(url)")
        }
        #expect(read > 500)
    }
}

/// Numbers that are the same each time.
private struct Chance {
    private var state: UInt64 = 20_26

    mutating func next(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % bound
    }
}
