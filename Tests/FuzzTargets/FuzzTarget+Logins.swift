import BrokerLink
import Domain
import Egress

/// The files of agents' logins: whatever they hold, a renewal changes the tokens and nothing else, and what lies inside
/// in their place has none of them.
extension FuzzTarget {
    static let loginFile = FuzzTarget("login-file", bytesMax: 1 << 13) {
        let claude = """
            {"claudeAiOauth":{"accessToken":"made-up-access-1","refreshToken":"made-up-refresh","expiresAt":17e2,
            "scopes":["user:inference",7],"subscriptionType":"max","kept":[1,{"a":null}]},"other":{"a":"\\u0041\\/"}}
            """
        let codex = """
            { "auth_mode" : "chatgpt", "OPENAI_API_KEY":null,"tokens":{"id_token":"e30.eyJleHAiOjE3fQ.c2ln",
            "access_token":"e30.eyJleHAiOjE3LCJodHRwczovL2FwaS5vcGVuYWkuY29tL2F1dGgiOnsidXNlcl9pZCI6InUifX0.c2ln",
            "refresh_token":"made-up-refresh","account_id":"a-1"},"last_refresh":"2025-01-01T00:00:00Z","kept":-0.10}
            """
        let key = #"{"OPENAI_API_KEY":"made-up-key-of-nobody","tokens":null}"#
        return [[0] + Array(claude.utf8), [1] + Array(codex.utf8), [1] + Array(key.utf8), [0, 0x7B, 0x7D]]
    } prepare: {
        let new = LoginTokens(
            access: try SecretText(#"new-"access\"#.utf8, .wherePossible),
            refresh: try SecretText("new-refresh".utf8, .wherePossible),
            identity: try SecretText("new-identity".utf8, .wherePossible),
            expiresMilliseconds: 1_900_000_000_000
        )
        return { bytes in
            guard let first = bytes.first else { return }
            let form: HeldSecret.Form = first % 2 == 0 ? .claudeLogin : .codexLogin
            let content = Array(bytes.dropFirst())
            guard let file = content.withUnsafeBytes({ try? LoginFile($0, form: form) }) else { return }
            let renewed = try text(try file.renewed(new, unixMilliseconds: 1_800_000_000_000))
            try promise(file.isKey || renewed != content, "nothing is renewed")
            let again = try renewed.withUnsafeBytes { try LoginFile($0, form: form) }
            let wanted = file.isKey ? file.tokens : new
            try promise(again.tokens.access == wanted.access, "another token comes back than was written")
            try promise(file.isKey || again.tokens.refresh == new.refresh, "another refresh token comes back")
            try sameBeside(content, renewed)
            try standsIn(file, form)
        }
    }

    private static func text(_ buffer: consuming SecretBuffer) throws -> [UInt8] { Array(buffer.bytes) }

    /// Compares both documents without what a renewal changes. What a strict reader refuses is copied unread.
    private static func sameBeside(_ before: [UInt8], _ after: [UInt8]) throws {
        guard let old = try? JSONParser.parse(before) else { return }
        let new = try JSONParser.parse(after)
        try promise(without(old, isOuter: true) == without(new, isOuter: true), "other members change")
    }

    private static let renewed: Set<String> = [
        "accessToken", "refreshToken", "expiresAt", "access_token", "refresh_token", "id_token",
    ]

    private static func without(_ value: JSONValue, isOuter: Bool) -> JSONValue {
        guard case .object(let members) = value else { return value }
        return .object(
            members.compactMap { name, value in
                if isOuter { return name == "last_refresh" ? nil : (name, inner(name, value)) }
                return renewed.contains(name) ? nil : (name, value)
            }
        )
    }

    private static func inner(_ name: String, _ value: JSONValue) -> JSONValue {
        name == "claudeAiOauth" || name == "tokens" ? without(value, isOuter: false) : value
    }

    private static func standsIn(_ file: LoginFile, _ form: HeldSecret.Form) throws {
        var random = SeededRandom(seed: 7)
        let (content, placeholder) = file.standIn(unixMilliseconds: 1_800_000_000_000, random: &random)
        let inside = try content.withUnsafeBytes { try LoginFile($0, form: form) }
        let access = inside.tokens.access.withBytes { Array($0) }
        try promise(access == Array(placeholder.text.utf8), "another placeholder stands in the file")
        try promise(inside.tokens.access != file.tokens.access, "the token lies inside")
        let words = try texts(JSONParser.parse(content))
        for token in [file.tokens.access, file.tokens.refresh, file.tokens.identity].compactMap({ $0 }) {
            let word = token.withBytes { Array($0) }
            // Shorter words are parts of others by chance.
            guard word.count >= 12 else { continue }
            try promise(!words.contains { holds($0, word) }, "a token lies inside")
        }
    }

    private static func texts(_ value: JSONValue) throws -> [[UInt8]] {
        switch value {
        case .string(let text): [Array(text.utf8)]
        case .array(let items): try items.flatMap(texts)
        case .object(let members): try members.flatMap { try texts($0.1) }
        default: []
        }
    }

    private static func holds(_ text: [UInt8], _ word: [UInt8]) -> Bool {
        text.count >= word.count && (0...text.count - word.count).contains { text[$0...].starts(with: word) }
    }
}
