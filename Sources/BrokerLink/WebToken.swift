import Domain

/// A JSON Web Token (RFC 7519) as far as programs look into one: its claims. No signature is checked or made.
enum WebToken {
    private static let bytesMax = 64 << 10

    /// The claims; nil for what is no such token.
    static func claims(_ token: SecretText) -> JSONValue? {
        token.withBytes { text in
            let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
            guard parts.count == 3, text.count <= bytesMax, let bytes = Base64.decoded(parts[1]),
                let value = try? JSONParser.parse(bytes), case .object = value
            else { return nil }
            return value
        }
    }

    static func text(_ claims: JSONValue, signature: String) -> String {
        let header = JSONValue.object([("alg", .string("RS256")), ("typ", .string("JWT"))])
        return "\(encoded(header)).\(encoded(claims)).\(signature)"
    }

    private static func encoded(_ value: JSONValue) -> String {
        String(Base64.encode(value.bytes()).filter { $0 != "=" }.map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 })
    }
}
