import BrokerLink
import Domain
import Egress
import NIOCore

/// Where a login is renewed, and how a person gets another. The values are those that the programs themselves use:
/// Claude Code 2 (`TOKEN_URL`, `CLIENT_ID` in its text) and Codex 0.163 (as it asks a server of ours). They name
/// the program and are no secrets.
struct LoginProvider: Sendable {
    let name: String
    let host: String
    let path: String
    let client: String
    /// How a person logs in again.
    let logIn: String
    /// What to do about a login that is over.
    var remedy: String { "Log in again outside: \(logIn)." }

    static func of(_ form: HeldSecret.Form) -> LoginProvider? {
        switch form {
        case .value: nil
        case .claudeLogin:
            LoginProvider(
                name: "Claude Code",
                host: "platform.claude.com",
                path: "/v1/oauth/token",
                client: "9d1c250a-e61b-44d9-88ed-5944d1962f5e",
                logIn: form.logIn
            )
        case .codexLogin:
            LoginProvider(
                name: "Codex",
                host: "auth.openai.com",
                path: "/oauth/token",
                client: "app_EMoamEEZ73f0CkXaXp7hrann",
                logIn: form.logIn
            )
        }
    }

    /// An agent whose token is refused tries to renew its login by itself, which it cannot: what lies inside is worth
    /// nothing. Nobody shall list the host for that.
    static func explained(_ refusal: EgressRefusal, _ host: String, _ settings: BrokerSettings) -> EgressRefusal {
        guard refusal.rule.rawValue == "network-unlisted" else { return refusal }
        let held = settings.secrets.lazy.compactMap { of($0.form) }
        guard let provider = held.first(where: { $0.host == host }) else { return refusal }
        return EgressRefusal(
            RuleID("login-outside"),
            "the login of \(provider.name) is renewed by Bailey, outside; what lies inside cannot be renewed",
            remedy: "Nothing: Bailey renews the login of \(provider.name) itself, outside. If it is over, log in again "
                + "there: \(provider.logIn)."
        )
    }

    var target: ConnectTarget? { (try? HostName(host)).map { ConnectTarget(host: .name($0), port: 443) } }

    /// The request (RFC 6749, section 6, in JSON as these providers take it).
    func request(_ refresh: SecretText, scopes: [String]) -> ByteBuffer {
        var members: [(String, JSONValue)] = [("client_id", .string(client)), ("grant_type", .string("refresh_token"))]
        if !scopes.isEmpty { members.append(("scope", .string(scopes.joined(separator: " ")))) }
        let plain = JSONValue.object(members).bytes().dropLast() + Array(",\"refresh_token\":".utf8)
        var token = ByteBuffer()
        token.reserveCapacity(minimumWritableBytes: refresh.quotedBytesMax)
        refresh.writeQuoted { token.writeInteger($0) }
        defer { token.wipe() }
        let head =
            "POST \(path) HTTP/1.1\r\nHost: \(host)\r\nContent-Type: application/json\r\n"
            + "Accept: application/json\r\nAccept-Encoding: identity\r\nUser-Agent: bailey\r\n"
            + "Content-Length: \(plain.count + token.readableBytes + 1)\r\nConnection: close\r\n\r\n"
        // A buffer that grows leaves a copy behind.
        var request = ByteBuffer()
        request.reserveCapacity(head.utf8.count + plain.count + token.readableBytes + 1)
        request.writeString(head)
        request.writeBytes(plain)
        request.writeImmutableBuffer(token)
        request.writeInteger(UInt8(ascii: "}"))
        return request
    }

    /// The new tokens (RFC 6749, section 5.1); nil for what is no such answer. Without another refresh token the old
    /// one goes on.
    func tokens(
        _ answer: UnsafeRawBufferPointer,
        after old: LoginTokens,
        unixMilliseconds now: UInt64
    ) throws(LinkError) -> LoginTokens? {
        // The provider has changed them already: to lose them for want of a locked page would end the login.
        guard let reader = try? TokenReader(answer, .wherePossible), let access = try reader.token("access_token"),
            access.count >= KeyFlaw.bytesMin
        else { return nil }
        var new = old
        new.access = access
        new.refresh = try reader.token("refresh_token") ?? old.refresh
        new.identity = try reader.token("id_token") ?? old.identity
        new.expiresMilliseconds = reader.value("expires_in")?.unsignedValue.map {
            now + min($0, Self.secondsMax) * 1000
        }
        return new
    }

    /// No login holds for longer than ten years.
    private static let secondsMax: UInt64 = 315_360_000
}
