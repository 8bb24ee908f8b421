package import Domain

/// What a subscription's login is made of: the token that requests carry, and the one by which it is renewed.
package struct LoginTokens: Sendable, Equatable {
    package var access: String
    /// Nil for a login that cannot be renewed.
    package var refresh: String?
    /// Who is logged in, as a signed statement for the program; Codex keeps one.
    package var identity: String?
    /// When the first is no longer accepted; nil where that is not said.
    package var expiresMilliseconds: UInt64?
    /// What it is good for, as the provider calls it.
    package var scopes: [String]

    static let tokenBytesMax = 8 << 10

    package init(
        access: String,
        refresh: String? = nil,
        identity: String? = nil,
        expiresMilliseconds: UInt64? = nil,
        scopes: [String] = []
    ) {
        self.access = access
        self.refresh = refresh
        self.identity = identity
        self.expiresMilliseconds = expiresMilliseconds
        self.scopes = scopes
    }

    /// On their way to the supervisor, which keeps the scopes that it has.
    package var json: JSONValue {
        func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
        return .object([
            ("access", .string(access)), ("refresh", text(refresh)), ("identity", text(identity)),
            ("expires", expiresMilliseconds.map { .unsigned($0) } ?? .null),
        ])
    }

    /// Nil for what is no such object. The broker reads what strangers send, so it may put nothing into a file but
    /// tokens.
    package init?(_ value: JSONValue) {
        guard let access = value["access"]?.stringValue, Self.isToken(access) else { return nil }
        let refresh = value["refresh"]?.stringValue
        let identity = value["identity"]?.stringValue
        guard [refresh, identity].allSatisfy({ $0.map(Self.isToken) ?? true }) else { return nil }
        let expires = value["expires"]?.unsignedValue
        self.init(access: access, refresh: refresh, identity: identity, expiresMilliseconds: expires)
    }

    /// True for what can be a token: one word of printable ASCII.
    package static func isToken(_ text: String) -> Bool {
        (1...tokenBytesMax).contains(text.utf8.count) && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
}
