/// Variables whose values are secrets by their name.
package enum SensitiveVariable {
    private static let words = [
        "TOKEN", "SECRET", "PASSWORD", "PASSWD", "APIKEY", "API_KEY", "ACCESS_KEY", "PRIVATE_KEY", "CREDENTIAL",
    ]

    package static func isSensitive(_ name: String) -> Bool {
        let upper = name.uppercased()
        return words.contains { upper.contains($0) } || upper.hasSuffix("_KEY") || upper.hasSuffix("_AUTH")
    }
}
