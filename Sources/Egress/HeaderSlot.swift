import Domain

/// The one field of a request's head in which a secret travels, and how it is written there.
package struct HeaderSlot: Hashable, Sendable, CustomStringConvertible {
    /// What stands around the secret.
    package enum Scheme: Hashable, Sendable {
        /// Nothing.
        case plain
        /// `Bearer SECRET` (RFC 6750).
        case bearer
        /// The secret as the password of a user, in base 64 (RFC 7617).
        case basic(user: String)
    }

    /// The field's name in lower case.
    package let field: String
    package let scheme: Scheme

    /// Fields that carry nothing else, as services name them.
    package static let known = [
        "api-key", "authorization", "private-token", "x-api-key", "x-auth-token", "x-goog-api-key",
    ]
    /// A field of another name must say what it is for.
    private static let words = ["api-key", "apikey", "auth", "key", "password", "secret", "token"]
    /// Fields that servers write into pages, logs and traces, that another party reads, or that frame the message.
    private static let reflected: Set<String> = [
        "accept", "accept-encoding", "connection", "content-length", "content-type", "cookie", "expect", "forwarded",
        "from", "host", "origin", "proxy-authorization", "referer", "te", "traceparent", "tracestate", "trailer",
        "transfer-encoding", "upgrade", "user-agent", "via", "x-forwarded-for", "x-request-id",
    ]
    private static let bytesMax = 64

    /// - Parameter scheme: nil for what is usual there: `Bearer` for `Authorization`, nothing elsewhere.
    package init(field: String, scheme: Scheme? = nil) throws(EgressRefusal) {
        let key = field.lowercased()
        guard (1...Self.bytesMax).contains(key.utf8.count), key.utf8.allSatisfy(Self.isNameByte) else {
            throw Self.refuse(field, "it is no name of a field", "Write a name such as x-api-key.")
        }
        guard !Self.reflected.contains(key) else {
            throw Self.refuse(
                field,
                "no secret travels there: it is part of the connection, or servers show it to others",
                "Name the field that the service reads the key from, such as authorization or x-api-key."
            )
        }
        guard Self.known.contains(key) || Self.words.contains(where: key.contains) else {
            throw Self.refuse(
                field,
                "it is not known to carry a credential",
                "Fields that do are \(Self.known.joined(separator: ", ")), and others whose name has a word such as "
                    + "key, token or secret."
            )
        }
        self.field = key
        self.scheme = scheme ?? (key == "authorization" ? .bearer : .plain)
    }

    package var description: String { field }

    private static func isNameByte(_ byte: UInt8) -> Bool {
        byte == UInt8(ascii: "-") || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
    }

    private static func refuse(_ field: String, _ problem: String, _ remedy: String) -> EgressRefusal {
        EgressRefusal(
            RuleID("binding-header"),
            "the header \(EgressRefusal.quoted(field.utf8)): \(problem)",
            remedy: remedy
        )
    }
}
