/// A name that Bailey makes itself, safe in a path, a log line and a terminal: lower-case letters, digits and `_`.
package protocol Identifier: Hashable, Sendable, CustomStringConvertible {
    static var prefix: String { get }
    var rawValue: String { get }
    init(unchecked rawValue: String)
}

extension Identifier {
    package static var lengthMax: Int { 64 }

    /// Parses an identifier from outside; nil unless it has the prefix and only the allowed characters.
    package init?(_ text: String) {
        let allowed = text.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || byte == UInt8(ascii: "_")
        }
        guard allowed, text.hasPrefix(Self.prefix), text.utf8.count > Self.prefix.utf8.count,
            text.utf8.count <= Self.lengthMax
        else { return nil }
        self.init(unchecked: text)
    }

    package var description: String { rawValue }

    /// When it was made; nil if it is not of the form that ``make(milliseconds:random:)`` gives.
    package var createdUnixMilliseconds: UInt64? {
        let digits = rawValue.dropFirst(Self.prefix.count)
        guard digits.count == 20 else { return nil }
        var value: UInt64 = 0
        for character in digits.prefix(10) {
            guard let digit = alphabet.firstIndex(of: character) else { return nil }
            value = value << 5 | UInt64(digit)
        }
        return value
    }

    /// Makes an identifier that sorts by time: 10 characters of milliseconds and 10 of randomness, in Crockford base
    /// 32.
    package static func make(milliseconds: UInt64, random: UInt64) -> Self {
        Self(unchecked: prefix + base32(milliseconds, characters: 10) + base32(random, characters: 10))
    }
}

private let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz")

private func base32(_ value: UInt64, characters: Int) -> String {
    var rest = value
    var text: [Character] = []
    for _ in 0..<characters {
        text.append(alphabet[Int(rest & 31)])
        rest >>= 5
    }
    return String(text.reversed())
}

/// One `bailey run`, from creation to its terminal event.
package struct RunID: Identifier {
    package static let prefix = "r_"
    package let rawValue: String
    package init(unchecked rawValue: String) { self.rawValue = rawValue }
}

/// One project directory, as registered in the user's state directory.
package struct ProjectID: Identifier {
    package static let prefix = "p_"
    package let rawValue: String
    package init(unchecked rawValue: String) { self.rawValue = rawValue }
}

/// One permission that was given; names it in the journal.
package struct GrantID: Identifier {
    package static let prefix = "g_"
    package let rawValue: String
    package init(unchecked rawValue: String) { self.rawValue = rawValue }
}
