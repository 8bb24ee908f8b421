import Domain
package import Egress

/// The file in which an agent keeps the login of a subscription, read and written as the agent does. Whatever is not
/// renewed stays as it is, to the byte.
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
    private let content: SecretText
    private let locking: SecretPages.Locking
    /// Members that the agent reads inside too: of the file, and of the login in it.
    private let outer: [(String, JSONValue)]
    private let inner: [(String, JSONValue)]

    /// - Throws: ``LinkError`` with what is wrong; no part of the file is in it.
    package init(
        _ bytes: UnsafeRawBufferPointer,
        form: HeldSecret.Form,
        _ locking: SecretPages.Locking = .wherePossible
    ) throws(LinkError) {
        let file = try Self.reader(bytes, locking)
        self.form = form
        self.locking = locking
        let login = try Self.login(file, form)
        switch form {
        case .value: throw LinkError("it is no login")
        case .claudeLogin:
            isKey = false
            tokens = try Self.claude(login)
            outer = []
            inner = login?.keeping(["scopes", "subscriptionType", "rateLimitTier"], without: tokens) ?? []
        case .codexLogin:
            let access = try login?.token("access_token")
            isKey = access == nil
            tokens = try Self.codex(file, login, access)
            outer = file.keeping(["auth_mode"], without: tokens)
            inner = login?.keeping(["account_id"], without: tokens) ?? []
        }
        content = try SecretText(bytes, locking)
    }

    private static func reader(
        _ bytes: UnsafeRawBufferPointer,
        _ locking: SecretPages.Locking
    ) throws(LinkError) -> TokenReader {
        do throws(JSONError) { return try TokenReader(bytes, locking) } catch {
            throw LinkError("it is no JSON (\(error))")
        }
    }

    /// The object in which the tokens stand.
    private static func login(_ file: TokenReader, _ form: HeldSecret.Form) throws(LinkError) -> TokenReader? {
        do throws(JSONError) { return try file.object(form == .codexLogin ? "tokens" : "claudeAiOauth") } catch {
            throw LinkError("it is no JSON (\(error))")
        }
    }

    private static func claude(_ login: TokenReader?) throws(LinkError) -> LoginTokens {
        guard let login, let access = try login.token("accessToken") else {
            throw LinkError("nobody is logged in there (claudeAiOauth)")
        }
        return try checked(
            LoginTokens(
                access: access,
                refresh: try login.token("refreshToken"),
                expiresMilliseconds: login.value("expiresAt")?.unsignedValue,
                scopes: login.value("scopes")?.arrayValue?.compactMap(\.stringValue) ?? []
            )
        )
    }

    private static func codex(
        _ file: TokenReader,
        _ login: TokenReader?,
        _ access: SecretText?
    ) throws(LinkError) -> LoginTokens {
        guard let login, let access else {
            guard let key = try file.token("OPENAI_API_KEY") else {
                throw LinkError("nobody is logged in there (tokens, OPENAI_API_KEY)")
            }
            return try checked(LoginTokens(access: key))
        }
        return try checked(
            LoginTokens(
                access: access,
                refresh: try login.token("refresh_token"),
                identity: try login.token("id_token"),
                expiresMilliseconds: WebToken.claims(access)?["exp"]?.unsignedValue.flatMap {
                    $0 <= UInt64.max / 1000 ? $0 * 1000 : nil
                }
            )
        )
    }

    private static func checked(_ tokens: LoginTokens) throws(LinkError) -> LoginTokens {
        guard tokens.access.count >= KeyFlaw.bytesMin else { throw LinkError("its tokens are none") }
        return tokens
    }
}

/// Renewed, it is the same file with other tokens.
extension LoginFile {
    /// What stands in a place from now on.
    private struct Edit {
        let place: Range<Int>
        let lead: String
        let token: SecretText?
        let text: [UInt8]

        var bytesMax: Int { lead.utf8.count + text.count + (token?.quotedBytesMax ?? 0) + 1 }

        /// A member that is not there yet becomes the first: the object has others.
        init(_ reader: TokenReader, _ name: String, token: SecretText? = nil, _ value: JSONValue = .null) {
            place = reader.place(name) ?? reader.start..<reader.start
            lead = reader.place(name) == nil ? "\"\(name)\":" : ""
            self.token = token
            text = token == nil ? value.bytes() : []
        }

        func write(to output: inout SecretBuffer) {
            output.append(lead.utf8)
            output.append(text)
            token?.writeQuoted { output.append(CollectionOfOne($0)) }
            if !lead.isEmpty { output.append(",".utf8) }
        }
    }

    /// The file with other tokens, and everything else as it was.
    package func renewed(_ new: LoginTokens, unixMilliseconds: UInt64) throws(LinkError) -> SecretBuffer {
        try content.withBytes { bytes throws(LinkError) in
            let edits = try edits(bytes, new, unixMilliseconds).sorted { $0.place.lowerBound < $1.place.lowerBound }
            var output = try SecretBuffer(bytesMax: edits.reduce(bytes.count) { $0 + $1.bytesMax }, locking)
            Self.write(bytes, edits, to: &output)
            return output
        }
    }

    private static func write(_ bytes: UnsafeRawBufferPointer, _ edits: [Edit], to output: inout SecretBuffer) {
        var done = 0
        for edit in edits {
            output.append(bytes[done..<edit.place.lowerBound])
            edit.write(to: &output)
            done = edit.place.upperBound
        }
        output.append(bytes[done...])
    }

    private func edits(
        _ bytes: UnsafeRawBufferPointer,
        _ new: LoginTokens,
        _ unixMilliseconds: UInt64
    ) throws(LinkError) -> [Edit] {
        let file = try Self.reader(bytes, locking)
        guard let login = try Self.login(file, form), !isKey else { return [] }
        let isCodex = form == .codexLogin
        var edits = [Edit(login, isCodex ? "access_token" : "accessToken", token: new.access)]
        if let refresh = new.refresh {
            edits.append(Edit(login, isCodex ? "refresh_token" : "refreshToken", token: refresh))
        }
        if isCodex {
            if let identity = new.identity { edits.append(Edit(login, "id_token", token: identity)) }
            edits.append(Edit(file, "last_refresh", .string(Timestamp.text(unixMilliseconds: unixMilliseconds))))
        } else if let expires = new.expiresMilliseconds {
            edits.append(Edit(login, "expiresAt", .unsigned(expires)))
        }
        return edits
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
        func make(_ token: SecretText) -> Placeholder {
            let prefix = token.withBytes { KeyPrefix.find($0) }
            return Placeholder(prefix: prefix, length: token.count, random: &random)
        }
        let refresh = make(tokens.refresh ?? tokens.access).text
        let expires = now + Self.standInMilliseconds
        if form == .claudeLogin {
            let access = make(tokens.access)
            let login: [(String, JSONValue)] = [
                ("accessToken", .string(access.text)), ("refreshToken", .string(refresh)),
                ("expiresAt", .unsigned(expires)),
            ]
            return (JSONValue.object([("claudeAiOauth", .object(login + inner))]).bytes(), access)
        }
        guard !isKey else {
            let key = make(tokens.access)
            return (JSONValue.object(outer + [("OPENAI_API_KEY", .string(key.text))]).bytes(), key)
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
        let document = JSONValue.object(
            outer + [
                ("OPENAI_API_KEY", .null), ("tokens", .object(login + inner)),
                ("last_refresh", .string(Timestamp.text(unixMilliseconds: now))),
            ]
        )
        guard let placeholder = Placeholder(access) else { preconditionFailure("a signature has a core") }
        return (document.bytes(), placeholder)
    }

    /// What Codex reads of a token: the plan, the account, and how long it holds.
    private func claims(of token: SecretText, _ expires: UInt64) -> JSONValue {
        let names = ["chatgpt_plan_type", "chatgpt_account_id", "chatgpt_user_id", "user_id", "organization_id"]
        let claims = WebToken.claims(token)?[Self.claims]
        let kept = names.compactMap { name in claims?[name]?.plain(without: tokens).map { (name, $0) } }
        return .object([("exp", .unsigned(expires / 1000)), (Self.claims, .object(kept))])
    }
}

extension TokenReader {
    /// Members by name, where they are words, numbers or lists of words.
    fileprivate func keeping(_ names: [String], without tokens: LoginTokens) -> [(String, JSONValue)] {
        names.compactMap { name in value(name)?.plain(without: tokens).map { (name, $0) } }
    }
}

extension JSONValue {
    /// A word, a number or a list of words; nil for another value, and where a token stands in it.
    fileprivate func plain(without tokens: LoginTokens) -> JSONValue? {
        func isClean(_ text: String) -> Bool { !tokens.all.contains { $0.stands(in: text) } }
        return switch self {
        case .string(let text): isClean(text) ? self : nil
        case .integer, .unsigned: unsignedValue.map { .unsigned($0) }
        case .array(let items): .array(items.filter { $0.stringValue.map(isClean) ?? false })
        default: nil
        }
    }
}
