import Domain

/// What a subscription's login is made of: the token that requests carry, and the one by which it is renewed.
package struct LoginTokens: Sendable, Equatable {
    package var access: SecretText
    /// Nil for a login that cannot be renewed.
    package var refresh: SecretText?
    /// Who is logged in, as a signed statement for the program; Codex keeps one.
    package var identity: SecretText?
    /// When the first is no longer accepted; nil where that is not said.
    package var expiresMilliseconds: UInt64?
    /// What it is good for, as the provider calls it.
    package var scopes: [String]

    static let tokenBytesMax = 8 << 10

    package init(
        access: SecretText,
        refresh: SecretText? = nil,
        identity: SecretText? = nil,
        expiresMilliseconds: UInt64? = nil,
        scopes: [String] = []
    ) {
        self.access = access
        self.refresh = refresh
        self.identity = identity
        self.expiresMilliseconds = expiresMilliseconds
        self.scopes = scopes
    }

    /// All that are secret.
    var all: [SecretText] { [access, refresh, identity].compactMap { $0 } }

    /// Appends them as they go to the supervisor, which keeps the scopes that it has. The bytes are the caller's to
    /// wipe; none are left behind where they grow.
    func write(_ place: UInt16, to output: inout [UInt8]) {
        output.reserveCapacity(output.count + all.reduce(256) { $0 + $1.quotedBytesMax })
        let expires = expiresMilliseconds.map { "\($0)" } ?? "null"
        output += "{\"place\":\(place),\"expires\":\(expires)".utf8
        for (name, token) in [("access", access), ("refresh", refresh), ("identity", identity)] {
            guard let token else { continue }
            output += ",\"\(name)\":".utf8
            token.writeQuoted { output.append($0) }
        }
        output.append(UInt8(ascii: "}"))
    }

    /// Reads what ``write(_:to:)`` made; nil for what is no such object. The broker reads what strangers send, so it
    /// may put nothing into a file but tokens.
    static func read(_ bytes: UnsafeRawBufferPointer) -> (place: UInt16, tokens: LoginTokens)? {
        guard let reader = try? TokenReader(bytes, .wherePossible),
            let place = reader.value("place")?.unsignedValue.flatMap({ UInt16(exactly: $0) }),
            let access = try? reader.token("access")
        else { return nil }
        do throws(LinkError) {
            let tokens = LoginTokens(
                access: access,
                refresh: try reader.token("refresh"),
                identity: try reader.token("identity"),
                expiresMilliseconds: reader.value("expires")?.unsignedValue
            )
            return (place, tokens)
        } catch {
            return nil
        }
    }

    /// True for what can be a token: one word of printable ASCII.
    static func isToken(_ bytes: UnsafeRawBufferPointer) -> Bool {
        (1...tokenBytesMax).contains(bytes.count) && bytes.allSatisfy { (0x21...0x7E).contains($0) }
    }
}
