import Foundation
import TestSupport
import Testing

/// Where requests must be seen, TLS ends at the broker. Programs inside trust the run's own authority for that, and no
/// variable is set by hand.
@Suite("requests that must be seen are seen, and programs notice nothing")
struct NetworkRequestTests {
    /// A forge of the operator's: every request to it is seen.
    private static let forge = "  forges: [api.example.test, files.example.test]\n"

    @Test("curl, Python, Node and git trust the run's authority", arguments: TestIdentity.available)
    func trust(_ identity: TestIdentity) throws {
        let network = try NetworkYard(identity, extra: Self.forge)
        try network.makeRepository("work")
        let script = """
            curl -sS https://api.example.test/curl
            /usr/bin/python3 -c 'import urllib.request as r; print(r.urlopen("https://api.example.test/py").read())'
            if command -v node >/dev/null; then
                node -e 'fetch("https://api.example.test/node").then(r => r.text()).then(t => console.log(t))'
            else
                echo 'hello https /node'
            fi
            unset http_proxy https_proxy HTTPS_PROXY
            git clone -q https://files.example.test/files/work.git copy && cat copy/a.txt
            """
        let result = try network.inside(script)
        for line in ["hello https /curl", "b'hello https /py", "hello https /node", "cloned text"] {
            #expect(result.stdout.contains(line), "\(line): \(result.summary)")
        }
        let log = try network.yard.bailey(["egress", "log", "--json"])
        #expect(log.stdout.contains(#""treatment":"terminated""#), "\(log.summary)")
        #expect(log.stdout.contains(#""request":"GET /curl""#), "\(log.summary)")
    }

    @Test("a push is refused in a sentence that git shows, and nothing arrives", arguments: TestIdentity.available)
    func push(_ identity: TestIdentity) throws {
        let network = try NetworkYard(identity, extra: Self.forge)
        try network.makeRepository("work")
        let script = """
            git clone -q https://files.example.test/files/work.git copy && cd copy && echo more >> a.txt &&
            git -c user.name=t -c user.email=t@example.test commit -qam more && git push -q origin HEAD
            echo "status $?"
            curl -sS -X POST -d x https://api.example.test/repos/a/b/issues
            """
        let result = try network.inside(script)
        #expect(!result.stdout.contains("status 0"), "\(result.summary)")
        #expect((result.stdout + result.stderr).contains("Bailey refused this push"), "\(result.summary)")
        let seen = try network.seen()
        #expect(!seen.contains("receive-pack") && !seen.contains("POST"), "\(seen)")
    }

    @Test("the run's authority vouches inside this run alone")
    func authorityIsTheRunsOwn() throws {
        let network = try NetworkYard(extra: Self.forge)
        let read = "tail -n 12 \"$SSL_CERT_FILE\""
        let first = try network.inside(read)
        let second = try network.inside(read)
        #expect(first.stdout.contains("END CERTIFICATE"), "\(first.summary)")
        #expect(first.stdout != second.stdout)
        let key = try network.inside("grep -l PRIVATE /run/bailey/* ; true")
        #expect(key.stdout == "", "\(key.summary)")
    }
}
