import Foundation
import TestSupport

/// A yard whose user is logged in to Claude Code and Codex, with the providers' hosts played by a server of the test.
final class LoginYard {
    let yard: Yard
    private let server: OutsideServer

    static let names = ["api.anthropic.com", "platform.claude.com", "chatgpt.com", "auth.openai.com"]
    static let claudeFile = "home/.claude/.credentials.json"
    static let codexFile = "home/.codex/auth.json"

    init(_ identity: TestIdentity = TestIdentity.available[0], login: String = "claude") throws {
        yard = try Yard(identity)
        server = try OutsideServer(in: yard.path + "/outside", names: Self.names)
        let authority = try String(contentsOfFile: server.path + "/ca.pem", encoding: .utf8)
        try yard.write(authority, to: "config/bailey/outside.pem")
        let upstreams = Self.names.map { name in
            let place = "127.0.0.1:\(server.ports["https"] ?? 0)"
            return "    - {host: \(name), port: 443, address: \"\(place)\", ca: outside.pem}"
        }
        try yard.write(
            "network:\n  upstreams:\n" + upstreams.joined(separator: "\n") + "\nsecrets: [{login: \(login)}]\n",
            to: "config/bailey/config.yml"
        )
    }

    /// Words that nobody would take for a secret but those who look for these.
    static func word(_ name: String) -> String { "made-for-this-test-\(name)-\(UInt64.random(in: .min ... .max))" }

    /// Logs in to Claude Code.
    func logIn(access: String, refresh: String, secondsLeft: Double) throws {
        let expires = Int((Date().timeIntervalSince1970 + secondsLeft) * 1000)
        try write(
            """
            {"claudeAiOauth":{"accessToken":"\(access)","refreshToken":"\(refresh)","expiresAt":\(expires),\
            "scopes":["user:inference","user:profile"],"subscriptionType":"max","kept":[1,{"a":null}]},\
            "other":{"token":"stays"}}
            """,
            to: Self.claudeFile
        )
    }

    /// Logs in to Codex.
    ///
    /// - Returns: the token of requests.
    func logInToCodex(refresh: String, secondsLeft: Double) throws -> String {
        let claims: [String: Any] = [
            "exp": Int(Date().timeIntervalSince1970 + secondsLeft),
            "https://api.openai.com/auth": ["chatgpt_account_id": "account-1", "chatgpt_plan_type": "plus"],
        ]
        let access = "e30." + Self.encoded(try JSONSerialization.data(withJSONObject: claims)) + ".c2ln"
        try write(
            """
            {"OPENAI_API_KEY":null,"tokens":{"id_token":"\(access)","access_token":"\(access)",\
            "refresh_token":"\(refresh)","account_id":"account-1"},"last_refresh":"2025-01-01T00:00:00Z","kept":1}
            """,
            to: Self.codexFile
        )
        return access
    }

    /// Base 64 for URLs.
    static func encoded(_ data: Data) -> String {
        data.base64EncodedString().replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
            .replacingOccurrences(of: "=", with: "")
    }

    private func write(_ text: String, to name: String) throws {
        try yard.write(text, to: name)
        try yard.identity.own(yard.path + "/" + (name as NSString).deletingLastPathComponent)
        try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: yard.path + "/" + name)
    }

    /// What the server outside is to do with tokens: nothing, `slow`, `revoked`, `broken`.
    func mode(_ mode: String) throws {
        try mode.write(toFile: server.path + "/token-mode", atomically: true, encoding: .utf8)
    }

    /// The only tokens that the service accepts.
    func accept(_ words: String...) throws {
        try words.joined(separator: " ").write(toFile: server.path + "/accepted", atomically: true, encoding: .utf8)
    }

    /// Whose requests the service saw.
    func seen() -> [String] { lines("who.log") }

    /// What the provider was asked for.
    func asked() -> [String] { lines("tokens.log") }

    private func lines(_ name: String) -> [String] {
        let text = (try? String(contentsOfFile: server.path + "/" + name, encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init)
    }

    /// The file outside as JSON, with its mode and owner.
    func file(_ name: String) throws -> (json: [String: Any], mode: Int, owner: UInt32) {
        let path = yard.path + "/" + name
        let data = try Data(contentsOf: URL(fileURLWithPath: path))
        let attributes = try FileManager.default.attributesOfItem(atPath: path)
        return (
            try JSONSerialization.jsonObject(with: data) as? [String: Any] ?? [:],
            attributes[.posixPermissions] as? Int ?? 0,
            (attributes[.ownerAccountID] as? NSNumber)?.uint32Value ?? .max
        )
    }
}
