import Domain
import Testing

@testable import Redaction

@Suite("the shapes of keys")
struct ShapeTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let prefix: String
        let count: Int
        let alphabet: String
        var testDescription: String { name }
    }

    static let keys: [Case] = [
        Case(name: "AWS", prefix: "AKI" + "A", count: 16, alphabet: Samples.upper),
        Case(name: "AWS temporary", prefix: "ASI" + "A", count: 16, alphabet: Samples.upper),
        Case(name: "GitHub", prefix: "gh" + "p_", count: 36, alphabet: Samples.alphanumeric),
        Case(name: "GitHub OAuth", prefix: "gh" + "o_", count: 36, alphabet: Samples.alphanumeric),
        Case(name: "GitHub fine-grained", prefix: "github_" + "pat_", count: 82, alphabet: Samples.alphanumeric + "_"),
        Case(name: "GitLab", prefix: "gl" + "pat-", count: 20, alphabet: Samples.alphanumeric + "-_"),
        Case(name: "Slack", prefix: "xo" + "xb-", count: 50, alphabet: Samples.alphanumeric + "-"),
        Case(name: "OpenAI", prefix: "s" + "k-", count: 48, alphabet: Samples.alphanumeric),
        Case(name: "OpenAI project", prefix: "s" + "k-proj-", count: 100, alphabet: Samples.alphanumeric + "-_"),
        Case(name: "Anthropic", prefix: "s" + "k-ant-api03-", count: 95, alphabet: Samples.alphanumeric + "-_"),
        Case(name: "Google", prefix: "AI" + "za", count: 35, alphabet: Samples.alphanumeric + "-_"),
        Case(name: "npm", prefix: "np" + "m_", count: 36, alphabet: Samples.alphanumeric),
        Case(name: "PyPI", prefix: "py" + "pi-", count: 150, alphabet: Samples.alphanumeric + "-_"),
        Case(name: "Stripe", prefix: "sk_" + "live_", count: 24, alphabet: Samples.alphanumeric),
    ]

    @Test("are found in any frame, whole and nothing else", arguments: keys)
    func prefixed(key: Case) {
        for seed in 0..<10 as Range<UInt64> {
            var samples = Samples(seed: seed)
            let secret = key.prefix + samples.text(key.count, of: key.alphabet).replacing("-", with: "x") + ""
            for (before, after) in [
                ("", ""), ("see ", " there"), ("\"", "\""), ("(", ")"), ("x=", ";"), ("\\n", "\\n"), ("[0m", "\u{1B}"),
            ] {
                let result = Redactor().redact(before + secret + after).text
                #expect(result == before + Redacted.placeholder + after, "\(before)…\(after)")
            }
        }
    }

    @Test("web tokens, private keys and credentials are hidden")
    func structured() {
        var samples = Samples(seed: 1)
        let value = samples.text(30)
        let token = "ey" + "J" + samples.text(20) + "." + samples.text(40) + "." + samples.text(43)
        let label = "PRIVATE" + " KEY"
        let block = (0..<4).map { _ in samples.text(64) }.joined(separator: "\n")
        let redactor = Redactor()
        let cases: [(String, String)] = [
            ("jwt \(token).", "jwt ********."),
            ("-----BEGIN RSA \(label)-----\n\(block)\n-----END RSA \(label)-----\nend", "********\nend"),
            ("-----BEGIN \(label)-----\\n\(value)\\n-----END \(label)-----\"", "********\""),
            ("-----BEGIN OPENSSH \(label)-----\n\(block)", "********"),
            ("Bearer \(value)", "Bearer ********"),
            ("-H 'Authorization: Basic \(value)'", "-H 'Authorization: Basic ********'"),
            ("authorization: \(value) more\nnext", "authorization: ********\nnext"),
            ("{\"Authorization\":\"token \(value)\"}", "{\"Authorization\":\"token ********\"}"),
            ("postgres://app:\(value)@db/x", "postgres://app:********@db/x"),
            ("https://u:p@ss\(value)@host/p@th", "https://u:********@host/p@th"),
            ("--password=\(value) next", "--password=******** next"),
            ("--api-key \(value) next", "--api-key ******** next"),
            ("--password 'a b \(value)' next", "--password '********' next"),
            ("PASSWORD=x\(value)", "PASSWORD=********"), ("GITHUB_TOKEN=\(value)\nA=b", "GITHUB_TOKEN=********\nA=b"),
            ("export API_KEY=\"\(value) x\"", "export API_KEY=\"********\""),
            ("clientSecret: '\(value)'", "clientSecret: '********'"),
            ("{\"password\": \"\(value)\", \"a\": 1}", "{\"password\": \"********\", \"a\": 1}"),
            ("{\\\"password\\\":\\\"\(value)\\\"}", "{\\\"password\\\":\\\"********\\\"}"),
            ("?access_token=\(value)&page=2", "?access_token=********&page=2"),
            ("db_password: \(value)", "db_password: ********"),
            ("PASSWORD=hunter2", "PASSWORD=********"), ("password=a&b,c;d e", "password=******** e"),
        ]
        for (text, expected) in cases {
            let result = redactor.redact(text)
            #expect(result.text == expected)
            #expect(redactor.redact(result.text) == result)
        }
    }

    @Test("ordinary text is not touched")
    func ordinary() {
        var samples = Samples(seed: 2)
        let sha = samples.text(40, of: Samples.hex)
        let uuid = [8, 4, 4, 4, 12].map { samples.text($0, of: Samples.hex) }.joined(separator: "-")
        let texts = [
            "commit \(sha)", uuid, "request_id=\(uuid)", "sha256:\(sha)\(sha.prefix(24))",
            "/usr/lib/python3/site-packages/tokenizers",
            "Fix the token refresh in the password reset flow: nothing else.", "wrong password (attempt 3 of 5)",
            "a skill-based task-force",
            "risk-management-framework-for-everyone", "https://example.com:8080/a@b?token",
            "git@github.com:acme/app.git", "user@host",
            "prompt_tokens: 51, max_tokens=4096", "password: str", "def login(self, password=None, token=self.token):",
            "TOKEN=$TOKEN",
            "PASSWORD=${DB_PASSWORD}", "token=$(cat file)", "Authorization: Bearer $TOKEN", "The bearer of this letter",
            "PWD=/workspace",
            "csrf_token = form.hidden_tag()", "sk-" + String(repeating: "x", count: 36),
            "data:image/png;base64,iVBORw0KGgo\(samples.text(80))",
            "-----BEGIN PUBLIC KEY-----\nMCow\n-----END PUBLIC KEY-----", "\"apiKey\": \"<your key>\"",
            "postgres://app:${DB_PASSWORD}@db/x",
            "ssh-ed25519 AAAA\(samples.text(40)) me", "The secret: be patient.", "key=value", "author: me",
            "error: authentication failed",
            "********", "PASSWORD=********", "eyJhbGciOiJ", "Get:1 libsecret-1-0 amd64",
            "interface TokenSource { token: string; }",
        ]
        for text in texts { #expect(Redactor().redact(text).text == text) }
    }

    @Test("an argument after a secret option is hidden, whatever it looks like")
    func arguments() {
        let result = Redactor().redact(arguments: [
            "tool", "--password", "hunter2", "--verbose", "--token", "--api-key", "k", "-p", "80",
        ])
        #expect(
            result.map(\.text) == [
                "tool", "--password", "********", "--verbose", "--token", "--api-key", "********", "-p", "80",
            ]
        )
    }

    @Test("random text is redacted once and for all", arguments: 0..<60)
    func idempotent(seed: UInt64) {
        var samples = Samples(seed: seed)
        let parts = [
            "password", "=", ":", " ", "\"", "'", "\\", "token", "--", "Bearer ", "://", "@", "*", "\n", "&",
            "Authorization", "${", "}", "a1b2c3d4e5f6a7b8c9",
        ]
        let text = (0..<200).map { _ in parts[Int(samples.next() % UInt64(parts.count))] }.joined()
        let once = Redactor().redact(text)
        #expect(Redactor().redact(once.text) == once)
    }
}
