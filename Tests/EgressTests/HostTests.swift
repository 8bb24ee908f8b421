import Domain
import Egress
import Testing

@Suite("hosts and URLs have one spelling, or are refused")
struct HostTests {
    @Test(arguments: [
        "api.example.com", "API.Example.COM", "api.example.com.", "xn--mnchen-3ya.de", "_dmarc.example.com",
        "1e100.net",
        "127.0.0.1.example.com", "a--b.example.com", "8.8.8.8", "[2606:4700::1]",
        String(repeating: "a", count: 63) + ".example.com",
    ])
    func read(_ text: String) { #expect(throws: Never.self) { try Host(Array(text.utf8)) } }

    @Test(arguments: [
        ("", "host-syntax"), (".", "host-syntax"), ("a..b.com", "host-syntax"), (".a.com", "host-syntax"),
        ("a.com..", "host-syntax"), ("a b.com", "host-syntax"), ("a\u{0}.com", "host-syntax"),
        ("a.com\n", "host-syntax"), ("*.a.com", "host-syntax"), ("a,b.com", "host-syntax"),
        ("xn--a.com", "host-syntax"), ("xn--.com", "host-syntax"), ("xn--github-.com", "host-syntax"),
        ("[::1", "host-syntax"), ("[::1%25lo]", "host-syntax"), ("[a.com]", "host-syntax"), ("a@b.com", "host-syntax"),
        ("127.1", "host-numeric"), ("0x7f.1", "host-numeric"), ("0x7f000001", "host-numeric"), ("1", "host-numeric"),
        ("017700000001", "host-numeric"), ("1.2.3.4.5", "host-numeric"), ("256.1.1.1", "host-numeric"),
        ("8.8.8.8.", "host-numeric"), ("08.8.8.8", "host-numeric"), ("a.0x", "host-numeric"),
        ("a.1e0", "host-numeric"), ("127.0.0.1e0", "host-numeric"), ("6425673729", "host-numeric"),
        ("%61.com", "host-escaped"), ("127.0.0%2e1", "host-escaped"), ("g\u{443}.com", "host-not-ascii"),
        ("%C3%A9.com", "host-not-ascii"), ("\u{FF11}.1.1.1", "host-not-ascii"),
        (String(repeating: "a", count: 64) + ".com", "host-syntax"),
        (String(repeating: "a.", count: 126) + "com", "host-syntax"),
        (String(repeating: "a", count: 1 << 20), "host-syntax"),
    ])
    func refused(_ text: String, _ rule: String) {
        do throws(EgressRefusal) {
            _ = try Host(Array(text.utf8))
            Issue.record("\(text.prefix(80)) was read")
        } catch {
            #expect(error.rule.rawValue == rule, "\(error.reason)")
            #expect(error.reason.utf8.count < 400 && error.reason.unicodeScalars.allSatisfy { $0.value >= 0x20 })
        }
    }

    @Test(arguments: [
        ("http://example.com", "example.com:80", "/"), ("HTTPS://Example.com/A?b#c", "example.com:443", "/A"),
        ("https://example.com:8443?x", "example.com:8443", "/"), ("http://[2606::1]:81/", "[2606::1]:81", "/"),
        ("http://example.com/@1:2//x", "example.com:80", "/@1:2//x"),
    ])
    func urls(_ text: String, _ target: String, _ path: String) throws {
        let address = try WebAddress(Array(text.utf8))
        #expect(address.target.description == target)
        #expect(address.path == path)
    }

    @Test(arguments: [
        "", "http", "http:", "http:/a.com", "http:a.com", "http:///a.com", "//a.com", "/a", "ftp://a.com/",
        "ws://a.com/", "http://", "http://:80/", "http://a.com:/", "http://a.com:0/", "http://a.com:65536/",
        "http://a.com:080/", "http://a.com:80:80/", "http://u@a.com/", "http://u:p@a.com/", "http://@a.com/",
        "http://a.com\\b", "http:\\\\a.com", " http://a.com", "http://a.com /", "http://a\t.com/", "http://a.com/\u{0}",
        "http://a.com/\u{e9}", "http://a%2ecom/", "view-source:http://a.com/", "http://[::1/",
        "http://[::1]x/", "http://a.com/" + String(repeating: "a", count: 9000),
    ])
    func noURL(_ text: String) { #expect(throws: EgressRefusal.self) { try WebAddress(Array(text.utf8)) } }
}

@Suite("entries of a policy say what they cover")
struct NetworkPolicyTests {
    private func policy(_ entries: String...) throws -> NetworkPolicy {
        NetworkPolicy(allow: try entries.map { entry in try NetworkRule(entry) })
    }

    @Test(arguments: [
        "", " ", "a.com b", "10.0.0.1", "[::1]:443", "*", "*.com", "*.*.a.com", "a.*.com", "com", "localhost",
        "a.local",
        "a.com:", "a.com:0", "a.com:99999", "a.com/x", "get https://a.com/", "GET a.com", "GET, https://a.com/",
        "GET https://a.com/ x", "GET  https://a.com/", "https://a.com/../b", "https://a.com/?a", "https://*.a.com/",
        "https://u@a.com/", "https://10.0.0.1/", "metadata.google.internal", "metadata.goog", "\u{e9}.com",
        "ftp://a.com/",
    ])
    func noRule(_ text: String) { #expect(throws: EgressRefusal.self) { try NetworkRule(text) } }

    @Test func nothingIsAllowedUntilItIsListed() {
        #expect(NetworkPolicy().decide(connect: Array("a.com:443".utf8)).rule.rawValue == "network-unlisted")
        #expect(NetworkPolicy().decide(connect: Array("8.8.8.8:443".utf8)).rule.rawValue == "network-unlisted")
    }

    @Test(arguments: [
        ("/v1/messages", true), ("/v1/messages/a", true), ("/v1/messages?beta=true", true), ("/v1/messagesx", false),
        ("/v1", false), ("/v1/../admin", false), ("/v1/messages/../admin", false), ("/v1/messages/%2e%2e/admin", false),
        ("/v1/messages/%252e%252e/admin", false), ("/v1/messages;x=/../admin", false), ("/v1/messages//a", false),
        ("/v1/messages/%2Fa", false), ("/v1/messages/%5ca", false), ("/v1/messages/%0a", false),
        ("/v1/messages/%zz", false), ("/v1/messages/./a", false), ("/v1/messages;x", false),
    ])
    func paths(_ path: String, _ isAllowed: Bool) throws {
        let decision = try policy("POST https://api.example.com/v1/messages").decide(
            url: Array(("https://api.example.com" + path).utf8),
            method: "POST"
        )
        #expect((decision.verdict == .allow) == isAllowed, "\(decision.reason)")
    }

    @Test func aWholeHostDoesNotLookAtPaths() throws {
        let rules = try policy("POST https://a.example.com/v1", "a.example.com")
        #expect(rules.decide(url: Array("https://a.example.com/x/../y;z".utf8)).verdict == .allow)
    }

    @Test func aRuleForRequestsSaysSoForAConnection() throws {
        let decision = try policy("GET https://a.example.com/x/").decide(connect: Array("a.example.com:443".utf8))
        #expect(decision.verdict == .allow && decision.reason.contains("for requests that an entry covers"))
        let plain = try policy("GET https://a.example.com:80/x/").decide(url: Array("http://a.example.com/x/".utf8))
        #expect(plain.verdict == .deny)
    }

    @Test func aProjectsListOnlyNarrows() throws {
        var rules = try policy("*.example.com")
        rules.narrowed = [try NetworkRule("a.example.com"), try NetworkRule("other.org")]
        #expect(rules.decide(connect: Array("a.example.com:443".utf8)).verdict == .allow)
        #expect(rules.decide(connect: Array("b.example.com:443".utf8)).verdict == .deny)
        #expect(rules.decide(connect: Array("other.org:443".utf8)).verdict == .deny)
        rules.narrowed = []
        #expect(rules.decide(connect: Array("a.example.com:443".utf8)).verdict == .deny)
    }

    /// What is put together of parts that were read is what reading all of it would have given.
    @Test(arguments: [
        "/", "/a/b", "/a@b:80", "/%2e/..//;x", "/a\\b", "/a?b", "/a#b", "/a b", "/\u{E9}", "a", "", "//x",
        "/" + String(repeating: "a", count: 7_600), "/" + String(repeating: "a", count: 8_192),
    ])
    func addressesOfParts(_ path: String) throws {
        for target in ["a.example.com:443", "a.example.com:8443", "8.8.8.8:443", "[2606:4700::1]:80"] {
            for scheme in [WebAddress.Scheme.https, .http] {
                let parts = Result { () throws(EgressRefusal) in
                    try WebAddress(scheme: scheme, target: ConnectTarget(Array(target.utf8)), path: path)
                }
                let whole = Result { () throws(EgressRefusal) in
                    try WebAddress(Array("\(scheme.rawValue)://\(target)\(path)".utf8))
                }
                #expect(parts == whole)
            }
        }
    }
}
