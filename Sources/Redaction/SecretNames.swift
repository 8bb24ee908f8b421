/// Which names of settings, options and headers promise a secret, and which values are none.
enum SecretNames {
    /// Ends of names, in lower case without separators: `GITHUB_API_TOKEN` and `githubApiToken` both end in `token`.
    private static let endings: [[UInt8]] = [
        "password", "passwd", "passphrase", "passcode", "secret", "token", "apikey", "accesskey", "secretkey",
        "privatekey",
        "authkey", "adminkey", "appkey", "accountkey", "masterkey", "encryptionkey", "signingkey", "secretkeybase",
        "accesskeysecret", "credential", "credentials", "extpat", "pgpass", "mysqlpwd", "dbpwd", "webhook",
    ].map { (word: String) in Array(word.utf8) }

    /// Names that end like a secret's and count or mark something.
    private static let exceptions: [[UInt8]] = [
        "pagetoken", "nexttoken", "continuetoken", "continuationtoken", "bostoken", "eostoken", "padtoken", "unktoken",
        "septoken", "clstoken", "masktoken",
    ].map { (word: String) in Array(word.utf8) }

    /// A longer name is cut: only its end counts.
    static let nameBytesMax = 64

    static func isSecret(_ name: ArraySlice<UInt8>) -> Bool {
        let plain = name.filter { Alphabet.alphanumeric.contains($0) }.map(lower)
        guard !plain.isEmpty else { return false }
        let matches = { (word: [UInt8]) in plain.count >= word.count && plain.suffix(word.count).elementsEqual(word) }
        return endings.contains(where: matches) && !exceptions.contains(where: matches)
    }

    /// True for an option that takes a secret as the next argument: `--password`, `--api-key`.
    static func isSecretOption(_ argument: String) -> Bool {
        let bytes = Array(argument.utf8)
        return bytes.starts(with: "--".utf8) && bytes.count <= nameBytesMax
            && bytes.dropFirst(2).allSatisfy { Alphabet.urlSafe.contains($0) } && isSecret(bytes[2...])
    }

    static func lower(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte + 32 : byte
    }

    /// Longer values are always taken for secrets, so that this look stays short.
    private static let referenceBytesMax = 64

    private static let words: Set<[UInt8]> = Set(
        ["true", "false", "null", "none", "nil", "yes", "no", "undefined", "redacted"].map { (word: String) in
            Array(word.utf8)
        }
    )

    /// A value that names a secret kept elsewhere, stands for one in a manual, or says that there is none.
    static func isReference(_ value: ArraySlice<UInt8>) -> Bool {
        guard let first = value.first, value.count <= referenceBytesMax else { return false }
        let rest = value.dropFirst()
        switch first {
        case UInt8(ascii: "$"):
            return rest.first == UInt8(ascii: "{") || rest.first == UInt8(ascii: "(")
                || rest.allSatisfy(Alphabet.variable.contains)
        case UInt8(ascii: "{"): return rest.first == UInt8(ascii: "{") || value.last == UInt8(ascii: "}")
        // Encrypted in place, as sops writes it.
        case UInt8(ascii: "E"): if value.starts(with: Array("ENC[".utf8)) { return true }
        case UInt8(ascii: "<"): return value.last == UInt8(ascii: ">")
        case UInt8(ascii: "%"):
            return value.last == UInt8(ascii: "%") && rest.dropLast().allSatisfy(Alphabet.word.contains)
        default: break
        }
        if value.allSatisfy({ $0 == first }) { return true }
        return words.contains(value.map(lower))
    }

    /// An expression of a program that passes a secret on without holding it: `self.token`, `raw_password`,
    /// `getToken()`.
    static func isExpression(_ value: ArraySlice<UInt8>) -> Bool {
        guard let first = value.first, value.count <= referenceBytesMax else { return false }
        let call = value.prefix { $0 != UInt8(ascii: "(") && $0 != UInt8(ascii: "[") }
        let name = call.filter { $0 != UInt8(ascii: ".") && $0 != UInt8(ascii: "_") && $0 != UInt8(ascii: ")") }
        let isLetters = name.allSatisfy { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(lower($0)) }
        guard isLetters, Alphabet.word.contains(first) else { return false }
        return call.count < value.count || call.contains(UInt8(ascii: ".")) || isSecret(call)
    }
}

extension Alphabet {
    static let variable = Alphabet("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
}
