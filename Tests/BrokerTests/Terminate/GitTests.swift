import Broker
import BrokerLink
import Domain
import Egress
import Foundation
import TestSupport
import Testing

@Suite("git fetches from a forge and does not push to it")
struct ForgeGitTests {
    /// `git http-backend` as Apache would call it, with pushing switched on.
    private static let backend = """
        import http.server, subprocess, os
        subprocess.run('git init -q --bare r.git && git -C r.git config http.receivepack true && git init -q w && cd w'
            ' && git config user.email a@b.c && git config user.name n && echo hello > file && git add file'
            ' && git commit -qm one && git push -q ../r.git HEAD:refs/heads/main'
            ' && git -C ../r.git symbolic-ref HEAD refs/heads/main', shell=True, check=True)
        class H(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'
            def log_message(self, *a): pass
            def answer(self):
                path, _, query = self.path.partition('?')
                body = b''
                if self.headers.get('Transfer-Encoding'):
                    while True:
                        n = int(self.rfile.readline(), 16)
                        body += self.rfile.read(n); self.rfile.readline()
                        if n == 0: break
                else: body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
                env = dict(os.environ, GIT_PROJECT_ROOT=os.getcwd(), GIT_HTTP_EXPORT_ALL='1', PATH_INFO=path,
                    QUERY_STRING=query, REQUEST_METHOD=self.command, CONTENT_LENGTH=str(len(body)),
                    CONTENT_TYPE=self.headers.get('Content-Type') or '', REMOTE_USER='x', REMOTE_ADDR='127.0.0.1',
                    HTTP_CONTENT_ENCODING=self.headers.get('Content-Encoding') or '',
                    GIT_PROTOCOL=self.headers.get('Git-Protocol') or '')
                out = subprocess.run(['git', 'http-backend'], input=body, env=env, capture_output=True).stdout
                head, _, rest = out.partition(b'\\r\\n\\r\\n')
                status = 200
                fields = []
                for line in head.decode().split('\\r\\n'):
                    name, _, value = line.partition(': ')
                    if name == 'Status': status = int(value[:3])
                    elif name: fields.append((name, value))
                self.send_response(status)
                for name, value in fields: self.send_header(name, value)
                self.send_header('Content-Length', str(len(rest)))
                self.end_headers()
                self.wfile.write(rest)
            do_GET = do_POST = answer
        server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), H)
        server.daemon_threads = True
        server.socket = context.wrap_socket(server.socket, server_side=True)
        serve(server.server_address[1], server.serve_forever)
        """

    @Test func cloneFetchAndPush() throws {
        let port = try ForwardingYard.freePort()
        let name = "git.example.com"
        // The push is refused even where an entry names its method and path.
        let entries = ["\(name):\(port)", "GET,POST https://\(name):\(port)/r.git/"]
        let tools = try ToolYard([name], allow: entries, forges: [name], script: Self.backend)
        try tools.yard.lead("\(name):\(port)", to: tools.server.port)
        _ = try tools.yard.door("\(name):\(port)", isTLS: true, port: port)
        let script = """
            cd '\(tools.place.path)' || exit 9
            export HOME="$PWD" GIT_TERMINAL_PROMPT=0 GIT_SSL_CAINFO="$PWD/ca.pem" LC_ALL=C
            git config --global http.curloptResolve '\(name):\(port):127.0.0.1'
            git config --global user.email a@b.c && git config --global user.name n
            git clone -q https://\(name):\(port)/r.git clone || exit 1
            cd clone && git fetch -q || exit 2
            test "$(cat file)" = hello || exit 3
            echo more > file && git commit -qam two || exit 4
            git push origin HEAD:refs/heads/main && exit 5
            exit 0
            """
        let result = try ProcessRunner.run("/bin/sh", arguments: ["-c", script])
        #expect(result.status == 0, "\(result.summary)")
        #expect(result.stderr.contains("Bailey refused this push"), "\(result.summary)")
        let records = tools.yard.ledger.records
        #expect(records.contains { $0.rule.rawValue == "git-push" && $0.verdict == .deny })
    }

    private static func request(
        _ method: String,
        _ path: String,
        _ fields: [HTTPField] = [],
        body: BodyLength = .none
    ) throws -> RequestHead {
        RequestHead(
            method: method,
            scheme: .https,
            target: try ConnectTarget(Array("git.example.com:443".utf8)),
            path: path,
            fields: HTTPFields(fields),
            body: body
        )
    }

    @Test(
        "every spelling of a push is one",
        arguments: [
            "/r.git/git-receive-pack", "/r.git/git%2Dreceive%2dpack", "/r.git/git%252Dreceive-pack",
            "/r.git/x/../git-receive-pack", "/r.git/git-receive-pack/", "/r.git/GIT-RECEIVE-PACK",
            "/r.git/git-receive-pack;x", "/r.git/git-upload-pack/../git-receive-pack", "/r.git//git-receive-pack",
            "/r.git/git-receive-pack%CC%81", "/r.git/x%EF%B8%8F/git-receive-pack%E2%80%8D",
        ]
    )
    func spelledPushes(_ path: String) throws {
        for isForge in [true, false] {
            let request = try Self.request("POST", path, body: .open)
            guard case .refused(let refusal, .plain) = ForgeRules.judge(request, isForge: isForge, isListed: true)
            else {
                Issue.record("\(path) passes")
                continue
            }
            #expect(refusal.rule.rawValue == "git-push")
        }
    }

    @Test(
        "a push by WebDAV is one",
        arguments: [
            "LOCK /r.git/refs/heads/main", "LOCK /r.git/info/refs", "PUT /r.git/objects/ab/cdef",
            "MOVE /r.git/objects/ab/cdef", "MKCOL /r.git/objects/0f/", "PUT /r.git/refs%2fheads/main",
        ]
    )
    func files(_ line: String) throws {
        let words = line.split(separator: " ").map(String.init)
        for isForge in [true, false] {
            let request = try Self.request(words[0], words[1], body: .open)
            guard case .refused(let refusal, .plain) = ForgeRules.judge(request, isForge: isForge, isListed: true)
            else {
                Issue.record("\(line) passes")
                continue
            }
            #expect(refusal.rule.rawValue == "git-push")
        }
        let other = try Self.request("PUT", "/objects/abc/refs.txt", body: .open)
        #expect(ForgeRules.judge(other, isForge: false, isListed: false) == .passes)
    }

    @Test(
        "the beginning of a push is refused in git's own words",
        arguments: ["service=git-receive-pack", "service=git%2Dreceive-pack", "x=y&service=git-receive-pack"]
    )
    func advertisements(_ query: String) throws {
        let request = try Self.request("GET", "/r.git/info/refs?" + query)
        for isForge in [true, false] {
            guard case .refused(_, .advertisement) = ForgeRules.judge(request, isForge: isForge, isListed: true) else {
                Issue.record("\(query) passes")
                continue
            }
        }
    }

    @Test func aForgeIsReadAndNotWritten() throws {
        let git = HTTPField("Content-Type", "application/x-git-upload-pack-request")
        let json = HTTPField("Content-Type", "application/json")
        let large = HTTPField("Content-Type", "application/vnd.git-lfs+json; charset=utf-8")
        let passing: [RequestHead] = [
            try Self.request("GET", "/r.git/info/refs?service=git-upload-pack"), try Self.request("HEAD", "/x"),
            try Self.request("POST", "/r.git/git-upload-pack", [git], body: .open),
        ]
        for request in passing { #expect(ForgeRules.judge(request, isForge: true, isListed: false) == .passes) }
        let refused: [RequestHead] = [
            try Self.request("POST", "/graphql", [json], body: .open), try Self.request("PUT", "/repos/x", body: .open),
            try Self.request("DELETE", "/repos/x"), try Self.request("PATCH", "/repos/x", body: .open),
            try Self.request("POST", "/r.git/git-upload-pack", [json], body: .open),
            try Self.request("POST", "/repos/x/../r.git/git-upload-pack", [git], body: .open),
            try Self.request("POST", "/api?x=/git-upload-pack", [git], body: .open),
            try Self.request("GET", "/x", [json], body: .open), try Self.request("GET", "/x?access_token=y"),
            try Self.request("POST", "/r.git/info/lfs/locks", [large], body: .open),
        ]
        for request in refused {
            guard case .refused = ForgeRules.judge(request, isForge: true, isListed: false) else {
                Issue.record("\(request.method) \(request.path) passes")
                continue
            }
        }
        let issue = try Self.request("POST", "/repos/x/issues", [json], body: .open)
        #expect(ForgeRules.judge(issue, isForge: true, isListed: true) == .passes)
        let batch = try Self.request("POST", "/r.git/info/lfs/objects/batch", [large], body: .open)
        #expect(ForgeRules.judge(batch, isForge: true, isListed: false) == .needsBody)
    }

    @Test(arguments: [
        (#"{"operation":"download","objects":[]}"#, 200), (#"{"operation":"upload","objects":[]}"#, 403),
        (#"{"operation":"download","Operation":"upload"}"#, 403), (#"{"operation":["download"]}"#, 403), ("", 403),
        (#"{"operation":"download"} x"#, 403),
    ])
    func largeFiles(_ body: String, _ status: Int) throws {
        let tools = try ToolYard(["github.com"], allow: ["github.com"])
        let port = try tools.yard.door("github.com:443", isTLS: true)
        let result = try tools.curl(
            port,
            "https://github.com/r.git/info/lfs/objects/batch",
            [
                "--data-binary", body, "-H", "Content-Type: application/vnd.git-lfs+json", "-w", "%{http_code}", "-o",
                "/dev/null",
            ]
        )
        #expect(result.stdout == "\(status)", "\(result.summary)")
    }

    @Test(arguments: [
        ("github.com", true), ("api.github.com", true), ("raw.githubusercontent.com", true), ("a.b.gitlab.com", true),
        ("huggingface.co", true), ("git-codecommit.eu-west-1.amazonaws.com", true),
        ("git-codecommit-fips.us-east-2.amazonaws.com", true), ("s3.eu-west-1.amazonaws.com", false),
        ("git.code.sf.net", true), ("git.heroku.com", true), ("heroku.com", false), ("api.githubcopilot.com", true),
        ("notgithub.com", false), ("github.com.example.com", false),
        ("own.example.com", true),
        ("sub.own.example.com", true), ("example.com", false),
    ])
    func theTable(_ name: String, _ isForge: Bool) throws {
        var settings = BrokerSettings()
        settings.forges = [try HostName("own.example.com")]
        #expect(settings.isForge(try HostName(name)) == isForge)
    }
}
