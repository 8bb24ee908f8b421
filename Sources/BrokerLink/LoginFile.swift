import Domain
package import Egress

/// The file in which an agent keeps the login of a subscription, read and written as the agent does. Members that are
/// not known stay as they are.
///
/// The forms are those that the programs themselves read: Claude Code 2 (`.credentials.json`: `claudeAiOauth` with
/// `accessToken`, `refreshToken`, `expiresAt` in milliseconds, `scopes`), Codex 0.163 (`auth.json`: `tokens` with
/// `access_token`, `refresh_token`, `id_token`, `account_id`, and `last_refresh`; or `OPENAI_API_KEY` alone).
package struct LoginFile: Sendable {
    package static let bytesMax = 64 << 10
    /// Claims of OpenAI in its tokens.
    private static let claims = "https://api.openai.com/auth"

    package let form: HeldSecret.Form
    package let tokens: LoginTokens
    /// Codex: a key of the programming interface in place of a login.
    package let isKey: Bool
    private let document: JSONValue

    /// - Throws: ``LinkError`` with what is wrong; no part of the file is in it.
    package init(_ bytes: some Sequence<UInt8>, form: HeldSecret.Form) throws(LinkError) {
        do throws(JSONError) { document = try JSONParser.parse(bytes) } catch {
            throw LinkError("it is no JSON (\(error))")
        }
        self.form = form
        switch form {
        case .value: throw LinkError("it is no login")
        case .claudeLogin:
            isKey = false
            tokens = try Self.claude(document)
        case .codexLogin:
            isKey = document["tokens"]?["access_token"]?.stringValue == nil
            tokens = try Self.codex(document)
        }
    }

    private static func claude(_ document: JSONValue) throws(LinkError) -> LoginTokens {
        guard let login = document["claudeAiOauth"], let access = login["accessToken"]?.stringValue, !access.isEmpty
        else { throw LinkError("nobody is logged in there (claudeAiOauth)") }
        let refresh = login["refreshToken"]?.stringValue.flatMap { $0.isEmpty ? nil : $0 }
        return try checked(
            LoginTokens(
                access: access,
                refresh: refresh,
                expiresMilliseconds: login["expiresAt"]?.unsignedValue,
                scopes: login["scopes"]?.arrayValue?.compactMap(\.stringValue) ?? []
            )
        )
    }

    private static func codex(_ document: JSONValue) throws(LinkError) -> LoginTokens {
        if let login = document["tokens"], let access = login["access_token"]?.stringValue {
            let refresh = login["refresh_token"]?.stringValue.flatMap { $0.isEmpty ? nil : $0 }
            return try checked(
                LoginTokens(
                    access: access,
                    refresh: refresh,
                    identity: login["id_token"]?.stringValue,
                    expiresMilliseconds: WebToken.claims(access)?["exp"]?.unsignedValue.flatMap {
                        $0 <= UInt64.max / 1000 ? $0 * 1000 : nil
                    }
                )
            )
        }
        guard let key = document["OPENAI_API_KEY"]?.stringValue else {
            throw LinkError("nobody is logged in there (tokens, OPENAI_API_KEY)")
        }
        return try checked(LoginTokens(access: key))
    }

    private static func checked(_ tokens: LoginTokens) throws(LinkError) -> LoginTokens {
        let all = [tokens.access, tokens.refresh, tokens.identity].compactMap { $0 }
        guard all.allSatisfy(LoginTokens.isToken), tokens.access.utf8.count >= 8 else {
            throw LinkError("its tokens are none")
        }
        return tokens
    }

    /// The file with other tokens, and everything else as it was.
    package func renewed(_ new: LoginTokens, unixMilliseconds: UInt64) -> [UInt8] {
        var changes: [(String, JSONValue)] = []
        switch form {
        case .value: return document.bytes()
        case .claudeLogin:
            changes.append(("accessToken", .string(new.access)))
            if let refresh = new.refresh { changes.append(("refreshToken", .string(refresh))) }
            if let expires = new.expiresMilliseconds { changes.append(("expiresAt", .unsigned(expires))) }
            return document.setting("claudeAiOauth", document["claudeAiOauth"]?.setting(changes)).bytes()
        case .codexLogin:
            changes.append(("access_token", .string(new.access)))
            if let refresh = new.refresh { changes.append(("refresh_token", .string(refresh))) }
            if let identity = new.identity { changes.append(("id_token", .string(identity))) }
            return document.setting("tokens", document["tokens"]?.setting(changes))
                .setting("last_refresh", .string(Timestamp.text(unixMilliseconds: unixMilliseconds))).bytes()
        }
    }
}

/// What lies inside in its place.
extension LoginFile {
    /// Long enough that no agent renews anything by itself; the broker does that.
    private static let standInMilliseconds: UInt64 = 10 * 365 * 86_400_000

    /// A file of the same form, worth nothing, and the placeholder that stands in it for the token of requests. Of
    /// other members it has those that the agent reads: which subscription, and which account.
    package func standIn(
        unixMilliseconds now: UInt64,
        random: inout some RandomNumberGenerator
    ) -> (content: [UInt8], placeholder: Placeholder) {
        func make(_ token: String) -> Placeholder {
            let prefix = Array(token.utf8).withUnsafeBytes { KeyPrefix.find($0) }
            return Placeholder(prefix: prefix, length: token.utf8.count, random: &random)
        }
        let refresh = make(tokens.refresh ?? tokens.access).text
        let expires = now + Self.standInMilliseconds
        if form == .claudeLogin {
            let access = make(tokens.access)
            let kept = document["claudeAiOauth"]?.keeping(["scopes", "subscriptionType", "rateLimitTier"]) ?? []
            let login: [(String, JSONValue)] = [
                ("accessToken", .string(access.text)), ("refreshToken", .string(refresh)),
                ("expiresAt", .unsigned(expires)),
            ]
            return (JSONValue.object([("claudeAiOauth", .object(login + kept))]).bytes(), access)
        }
        guard !isKey else {
            let key = make(tokens.access)
            let kept = document.keeping(["auth_mode"])
            return (JSONValue.object(kept + [("OPENAI_API_KEY", .string(key.text))]).bytes(), key)
        }
        return codexStandIn(refresh, expires, now, &random)
    }

    private func codexStandIn(
        _ refresh: String,
        _ expires: UInt64,
        _ now: UInt64,
        _ random: inout some RandomNumberGenerator
    ) -> ([UInt8], Placeholder) {
        // As long as the base 64 of a signature by a key of 2048 bits.
        let (signature, other) = (342, 342)
        let access = WebToken.text(
            claims(of: tokens.access, expires),
            signature: Placeholder(prefix: "", length: signature, random: &random).text
        )
        let identity = WebToken.text(
            claims(of: tokens.identity ?? tokens.access, expires),
            signature: Placeholder(prefix: "", length: other, random: &random).text
        )
        let login: [(String, JSONValue)] = [
            ("id_token", .string(identity)), ("access_token", .string(access)), ("refresh_token", .string(refresh)),
        ]
        let kept = document["tokens"]?.keeping(["account_id"]) ?? []
        let document = JSONValue.object(
            self.document.keeping(["auth_mode"]) + [
                ("OPENAI_API_KEY", .null), ("tokens", .object(login + kept)),
                ("last_refresh", .string(Timestamp.text(unixMilliseconds: now))),
            ]
        )
        guard let placeholder = Placeholder(access) else { preconditionFailure("a signature has a core") }
        return (document.bytes(), placeholder)
    }

    /// What Codex reads of a token: the plan, the account, and how long it holds.
    private func claims(of token: String, _ expires: UInt64) -> JSONValue {
        let names = ["chatgpt_plan_type", "chatgpt_account_id", "chatgpt_user_id", "user_id", "organization_id"]
        let kept = WebToken.claims(token)?[Self.claims]?.keeping(names) ?? []
        return .object([("exp", .unsigned(expires / 1000)), (Self.claims, .object(kept))])
    }
}

extension JSONValue {
    /// The object with members set, in their places or at its end.
    fileprivate func setting(_ changes: [(String, JSONValue)]) -> JSONValue {
        changes.reduce(self) { $0.setting($1.0, $1.1) }
    }

    fileprivate func setting(_ name: String, _ value: JSONValue?) -> JSONValue {
        guard case .object(var members) = self, let value else { return self }
        if let place = members.firstIndex(where: { $0.0 == name }) {
            members[place].1 = value
        } else {
            members.append((name, value))
        }
        return .object(members)
    }

    /// Members by name, where they are words, numbers or lists of words.
    fileprivate func keeping(_ names: [String]) -> [(String, JSONValue)] {
        names.compactMap { name in
            switch self[name] {
            case .string(let text)?: (name, .string(text))
            case .unsigned(let number)?: (name, .unsigned(number))
            case .array(let items)?: (name, .array(items.filter { $0.stringValue != nil }))
            default: nil
            }
        }
    }
}
