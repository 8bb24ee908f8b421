import Domain

/// A JSON Web Token (RFC 7519) as far as programs look into one: its claims. No signature is checked or made.
enum WebToken {
    private static let bytesMax = 64 << 10

    /// The claims; nil for what is no such token.
    static func claims(_ text: String) -> JSONValue? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 3, text.utf8.count <= bytesMax else { return nil }
        var body = String(parts[1].map { $0 == "-" ? "+" : $0 == "_" ? "/" : $0 })
        while body.utf8.count % 4 != 0 { body += "=" }
        guard let bytes = Base64.decode(body), case .object? = try? JSONParser.parse(bytes) else { return nil }
        return try? JSONParser.parse(bytes)
    }

    static func text(_ claims: JSONValue, signature: String) -> String {
        let header = JSONValue.object([("alg", .string("RS256")), ("typ", .string("JWT"))])
        return "\(encoded(header)).\(encoded(claims)).\(signature)"
    }

    private static func encoded(_ value: JSONValue) -> String {
        String(Base64.encode(value.bytes()).filter { $0 != "=" }.map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 })
    }
}
