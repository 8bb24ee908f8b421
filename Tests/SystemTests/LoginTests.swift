import Foundation
import TestSupport
import Testing

@Suite("a login of a subscription stays outside and is renewed there")
struct LoginTests {
    /// Asks the service once, and prints the status.
    private static let ask = "curl -s -o /dev/null -w '%{http_code}\\n' https://api.anthropic.com/v1/models/who"

    @Test("inside lies a file of the same form that is worth nothing", arguments: TestIdentity.available)
    func standIn(_ identity: TestIdentity) throws {
        let place = try LoginYard(identity)
        let (access, refresh) = (LoginYard.word("access"), LoginYard.word("refresh"))
        try place.logIn(access: access, refresh: refresh, secondsLeft: 7200)
        let result = try place.yard.inside("cat ~/.claude/.credentials.json; echo; env; \(Self.ask)")
        #expect(result.stdout.hasSuffix("200\n"), "\(result.summary)")
        #expect(place.seen() == ["Bearer " + access])
        #expect(place.asked().isEmpty)
        #expect(!result.stdout.contains(access) && !result.stdout.contains(refresh))
        let line = result.stdout.split(separator: "\n").first ?? ""
        let file = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(Array(file.keys) == ["claudeAiOauth"])
        let login = try #require(file["claudeAiOauth"] as? [String: Any])
        #expect(
            Set(login.keys) == ["accessToken", "refreshToken", "expiresAt", "scopes", "subscriptionType"]
        )
        let left = (login["expiresAt"] as? Double ?? 0) / 1000 - Date().timeIntervalSince1970
        #expect(left > 365 * 86400)
        #expect((login["accessToken"] as? String)?.contains("BAILEY") == true)
        // The record names the login and where it goes, and no more.
        let created = try place.yard.read("project/.bailey/runs/\(place.yard.lastRun())/journal/journal.jsonl")
        #expect(created.contains("claude-login") && created.contains("api.anthropic.com"))
        #expect(!created.contains(access))
    }

    @Test("one that is about to end is renewed once, and written back whole", arguments: TestIdentity.available)
    func renewed(_ identity: TestIdentity) throws {
        let place = try LoginYard(identity)
        let refresh = LoginYard.word("refresh")
        try place.logIn(access: LoginYard.word("access"), refresh: refresh, secondsLeft: 60)
        let result = try place.yard.inside("\(Self.ask); \(Self.ask); env; cat ~/.claude/.credentials.json")
        #expect(result.stdout.hasPrefix("200\n200\n"), "\(result.summary)")
        #expect(place.seen() == ["Bearer renewed-access-0001", "Bearer renewed-access-0001"])
        #expect(place.asked().count == 1)
        #expect(place.asked().first?.hasPrefix("platform.claude.com {") == true)
        #expect(place.asked().first?.contains(refresh) == true)
        #expect(!result.stdout.contains("renewed-"))
        let file = try place.file(LoginYard.claudeFile)
        let login = try #require(file.json["claudeAiOauth"] as? [String: Any])
        #expect(login["accessToken"] as? String == "renewed-access-0001")
        #expect(login["refreshToken"] as? String == "renewed-refresh-0001")
        #expect(login["subscriptionType"] as? String == "max")
        #expect((login["kept"] as? [Any])?.count == 2)
        #expect((file.json["other"] as? [String: Any])?["token"] as? String == "stays")
        #expect(file.mode == 0o600 && file.owner == identity.uid)
        let entries = try FileManager.default.contentsOfDirectory(atPath: place.yard.home + "/.claude")
        #expect(entries == [".credentials.json"])
    }

    @Test("it goes where the agent needs it, and not where its service makes keys or keeps conversations")
    func elsewhere() throws {
        let place = try LoginYard()
        try place.logIn(access: LoginYard.word("access"), refresh: LoginYard.word("refresh"), secondsLeft: 7200)
        let token = #"$(sed -n 's/.*"accessToken":"\([^"]*\)".*/\1/p' ~/.claude/.credentials.json)"#
        let keys = "https://api.anthropic.com/api/oauth/claude_cli/create_api_key/who"
        let ask = "curl -s -o /dev/null -w '%{http_code}\\n'"
        let result = try place.yard.inside(
            """
            \(ask) -X DELETE \(keys)
            \(ask) -H "authorization: Bearer \(token)" \(keys)
            \(ask) -X DELETE https://api.anthropic.com/api/oauth/profile/who
            \(ask) --path-as-is https://api.anthropic.com/v1/models/../../api/oauth/claude_cli/create_api_key/who
            """
        )
        #expect(result.stdout == "200\n403\n200\n403\n", "\(result.summary)")
        #expect(place.seen().isEmpty, "\(place.seen())")
        #expect(try place.yard.inside(Self.ask).stdout == "200\n")
        #expect(place.seen().count == 1)
    }

    @Test("where logins are renewed is closed inside, and the line says why")
    func outside() throws {
        let place = try LoginYard()
        try place.logIn(access: LoginYard.word("access"), refresh: LoginYard.word("refresh"), secondsLeft: 7200)
        // Declared for everybody here, so the project closes it.
        try place.yard.write("network: {allow: [api.anthropic.com]}\n", to: "project/bailey.yml")
        let renew = "curl -s -o /dev/null -w '%{http_code}\\n' -d '{}' https://platform.claude.com/v1/oauth/token"
        let result = try place.yard.inside("\(renew); \(Self.ask); getent ahosts platform.claude.com; true")
        #expect(result.stdout == "000\n200\n", "\(result.summary)")
        #expect(result.stderr.contains("login-outside"), "\(result.summary)")
        #expect(result.stderr.contains("Bailey renews the login of Claude Code itself"), "\(result.summary)")
        #expect(!result.stderr.contains("network-unlisted"), "\(result.summary)")
        #expect(place.asked().isEmpty)
        let suggested = try place.yard.bailey(["policy", "suggest", "last"])
        let lines = suggested.stdout.split(separator: "\n").filter { !$0.hasPrefix("#") }
        #expect(!lines.contains { $0.contains("platform.claude.com") }, "\(suggested.summary)")
    }

    @Test("two runs at once renew it once")
    func together() throws {
        let place = try LoginYard()
        try place.logIn(access: LoginYard.word("access"), refresh: LoginYard.word("refresh"), secondsLeft: 60)
        try place.mode("slow")
        let runs = try (0..<2).map { number in
            try Background(
                place.yard,
                ["run", "--", "/bin/sh", "-c", Self.ask],
                output: place.yard.path + "/run\(number)"
            )
        }
        for run in runs { #expect(run.end() == 0) }
        #expect(place.asked().count == 1, "\(place.asked())")
        #expect(place.seen() == ["Bearer renewed-access-0001", "Bearer renewed-access-0001"])
    }

    @Test("one that the provider does not renew fails requests, with what to do, and is asked for once")
    func revoked() throws {
        let place = try LoginYard()
        try place.logIn(access: LoginYard.word("access"), refresh: LoginYard.word("refresh"), secondsLeft: -5)
        try place.mode("revoked")
        let before = try place.yard.read(LoginYard.claudeFile)
        let ask = "curl -s -w ' status %{http_code}' https://api.anthropic.com/v1/models/who"
        let result = try place.yard.inside("for n in 1 2 3; do \(ask); done")
        // Agents try a 503 for minutes, and this ends only when somebody logs in.
        #expect(result.stdout.components(separatedBy: "status 403").count == 4, "\(result.summary)")
        #expect(result.stdout.contains("login-over"))
        #expect(result.stdout.contains("/login"), "\(result.summary)")
        #expect(result.stdout.contains("Log in again outside"))
        #expect(place.seen().isEmpty)
        #expect(place.asked().count == 1)
        #expect(try place.yard.read(LoginYard.claudeFile) == before)
    }

    @Test("a provider that is out of order takes nothing from a login that still holds")
    func broken() throws {
        let place = try LoginYard()
        let access = LoginYard.word("access")
        try place.logIn(access: access, refresh: LoginYard.word("refresh"), secondsLeft: 120)
        try place.mode("broken")
        let result = try place.yard.inside("\(Self.ask); \(Self.ask)")
        #expect(result.stdout == "200\n200\n", "\(result.summary)")
        #expect(place.seen() == ["Bearer " + access, "Bearer " + access])
        #expect(place.asked().count == 1)
    }

    @Test("one that the service does not accept is renewed, and the request sent again")
    func rejected() throws {
        let place = try LoginYard()
        try place.logIn(access: LoginYard.word("access"), refresh: LoginYard.word("refresh"), secondsLeft: 7200)
        try place.accept("renewed-access-0001")
        let result = try place.yard.inside("\(Self.ask); \(Self.ask)")
        #expect(result.stdout == "200\n200\n", "\(result.summary)")
        #expect(place.asked().count == 1)
    }

    @Test("one that somebody renewed outside meanwhile is taken as it is")
    func renewedOutside() throws {
        let place = try LoginYard()
        try place.logIn(access: LoginYard.word("old"), refresh: LoginYard.word("refresh"), secondsLeft: 7200)
        let script = "\(Self.ask); sleep 4; \(Self.ask)"
        let run = try Background(place.yard, ["run", "--", "/bin/sh", "-c", script], output: place.yard.path + "/run")
        #expect(Eventually.holds { place.seen().count == 1 })
        let new = LoginYard.word("new")
        try place.accept(new)
        try place.logIn(access: new, refresh: LoginYard.word("refresh"), secondsLeft: 7200)
        #expect(run.end() == 0)
        #expect(try place.yard.read("run").contains("200\n200\n"))
        #expect(place.asked().isEmpty)
        #expect(place.seen().last == "Bearer " + new)
    }

    @Test(
        "killed while it is written back, the file is the old one, and the next run goes on",
        .enabled(if: CrashPoints.exist)
    )
    func killed() throws {
        let place = try LoginYard()
        try place.logIn(access: LoginYard.word("access"), refresh: LoginYard.word("refresh"), secondsLeft: 60)
        let before = try place.yard.read(LoginYard.claudeFile)
        let result = try place.yard.bailey(
            ["run", "--", "/bin/sh", "-c", Self.ask + "; sleep 20"],
            with: ["BAILEY_CRASH_AT": "login written"]
        )
        #expect(result.status == 137, "\(result.summary)")
        #expect(try place.yard.read(LoginYard.claudeFile) == before)
        // The lock that Claude Code itself looks at goes stale after a minute without a sign of life.
        let old = [FileAttributeKey.modificationDate: Date(timeIntervalSinceNow: -120)]
        let lock = place.yard.home + "/.claude/.oauth_refresh.lock"
        if FileManager.default.fileExists(atPath: lock) {
            try FileManager.default.setAttributes(old, ofItemAtPath: lock)
        }
        let second = try place.yard.inside(Self.ask)
        #expect(second.stdout == "200\n", "\(second.summary)")
        let file = try place.file(LoginYard.claudeFile)
        let login = try #require(file.json["claudeAiOauth"] as? [String: Any])
        #expect(login["accessToken"] as? String == "renewed-access-0002")
        let entries = try FileManager.default.contentsOfDirectory(atPath: place.yard.home + "/.claude")
        #expect(entries == [".credentials.json"])
    }

    @Test("Codex's login is renewed by its own form", arguments: TestIdentity.available)
    func codex(_ identity: TestIdentity) throws {
        let place = try LoginYard(identity, login: "codex")
        let refresh = LoginYard.word("refresh")
        let access = try place.logInToCodex(refresh: refresh, secondsLeft: 60)
        let ask = "curl -s -o /dev/null -w '%{http_code}\\n' https://chatgpt.com/backend-api/codex/who"
        let result = try place.yard.inside("cat ~/.codex/auth.json; echo; \(ask)")
        #expect(result.stdout.hasSuffix("200\n"), "\(result.summary)")
        #expect(place.seen() == ["Bearer renewed-access-0001"])
        #expect(place.asked().first?.hasPrefix("auth.openai.com {") == true)
        #expect(!result.stdout.contains(access) && !result.stdout.contains(refresh))
        let line = result.stdout.split(separator: "\n").first ?? ""
        let inside = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        let tokens = try #require(inside["tokens"] as? [String: Any])
        #expect(tokens["account_id"] as? String == "account-1")
        let claims = try #require(Self.claims(tokens["id_token"] as? String ?? ""))
        let account = try #require(claims["https://api.openai.com/auth"] as? [String: Any])
        #expect(account["chatgpt_plan_type"] as? String == "plus")
        let file = try place.file(LoginYard.codexFile).json
        let kept = try #require(file["tokens"] as? [String: Any])
        #expect(kept["access_token"] as? String == "renewed-access-0001")
        #expect(kept["id_token"] as? String == "renewed-identity-0001")
        #expect(kept["account_id"] as? String == "account-1" && file["kept"] as? Int == 1)
        #expect((file["last_refresh"] as? String)?.hasPrefix("2025-01-01") == false)
    }

    private static func claims(_ token: String) -> [String: Any]? {
        var body = token.split(separator: ".").dropFirst().first.map(String.init) ?? ""
        body = body.replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
        while body.utf8.count % 4 != 0 { body += "=" }
        return Data(base64Encoded: body).flatMap {
            try? JSONSerialization.jsonObject(with: $0) as? [String: Any]
        }
    }

    @Test("a file that others can read, or a link to one, is refused with the fix")
    func files() throws {
        let place = try LoginYard()
        try place.logIn(access: LoginYard.word("access"), refresh: LoginYard.word("refresh"), secondsLeft: 60)
        let path = place.yard.path + "/" + LoginYard.claudeFile
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: path)
        let open = try place.yard.inside("true")
        #expect(open.status == 125 && open.stderr.contains("chmod 600"), "\(open.summary)")
        try FileManager.default.removeItem(atPath: path)
        let absent = try place.yard.inside("true")
        #expect(absent.status == 0 && absent.stderr.contains("nobody is logged in"), "\(absent.summary)")
        try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/etc/passwd")
        let link = try place.yard.inside("true")
        #expect(link.status == 125 && link.stderr.contains("symbolic link"), "\(link.summary)")
    }

    @Test("one that lies where commands inside could read it is refused")
    func visible() throws {
        let place = try LoginYard(login: "codex")
        let access = try place.logInToCodex(refresh: LoginYard.word("refresh"), secondsLeft: 60)
        let directory = place.yard.project + "/codex"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try FileManager.default.moveItem(
            atPath: place.yard.path + "/" + LoginYard.codexFile,
            toPath: directory + "/auth.json"
        )
        let result = try place.yard.bailey(
            ["run", "--", "/bin/cat", "codex/auth.json"],
            with: ["CODEX_HOME": directory]
        )
        #expect(result.status == 125 && result.stderr.contains("commands see what lies in"), "\(result.summary)")
        #expect(!result.stdout.contains(access))
    }
}
