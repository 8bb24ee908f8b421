/// Bytes that a key consists of, as a table of 256 answers.
struct Alphabet: Sendable {
    private let members: [Bool]

    init(_ text: StaticString) {
        var members = [Bool](repeating: false, count: 256)
        text.withUTF8Buffer { for byte in $0 { members[Int(byte)] = true } }
        self.members = members
    }

    func contains(_ byte: UInt8) -> Bool { members[Int(byte)] }

    static let word = Alphabet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_")
    static let alphanumeric = Alphabet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
    static let upper = Alphabet("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
    static let hex = Alphabet("0123456789abcdefABCDEF")
    static let urlSafe = Alphabet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
    static let token = Alphabet("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.~+/=")
}

/// A key that its issuer made easy to recognise: a fixed start, then enough bytes of one alphabet.
struct KeyShape: Sendable {
    let prefix: [UInt8]
    let alphabet: Alphabet
    /// Bytes after the prefix.
    let lengthMin: Int
    /// Beyond this the run is something else, for instance base 64 of an image; nil where keys have no fixed length.
    let lengthMax: Int?

    private init(_ prefix: StaticString, _ alphabet: Alphabet, _ lengthMin: Int, _ lengthMax: Int? = nil) {
        self.prefix = prefix.withUTF8Buffer { Array($0) }
        self.alphabet = alphabet
        self.lengthMin = lengthMin
        self.lengthMax = lengthMax
    }

    /// Longer prefixes need not come first: the scanner takes the longest match.
    static let all: [KeyShape] = [
        // Amazon access key ids: long-term, temporary, and the older kinds.
        KeyShape("AKIA", .upper, 16, 16), KeyShape("ASIA", .upper, 16, 16), KeyShape("ABIA", .upper, 16, 16),
        KeyShape("ACCA", .upper, 16, 16),
        // GitHub
        KeyShape("ghp_", .alphanumeric, 30), KeyShape("gho_", .alphanumeric, 30), KeyShape("ghu_", .alphanumeric, 30),
        KeyShape("ghs_", .token, 30), KeyShape("ghr_", .alphanumeric, 30), KeyShape("github_pat_", .word, 30),
        // GitLab
        KeyShape("glpat-", .token, 16), KeyShape("gldt-", .urlSafe, 16), KeyShape("glrt-", .token, 16),
        KeyShape("glptt-", .urlSafe, 16), KeyShape("glcbt-", .urlSafe, 16), KeyShape("glsoat-", .urlSafe, 16),
        // Slack
        KeyShape("xoxb-", .urlSafe, 16), KeyShape("xoxp-", .urlSafe, 16), KeyShape("xoxa-", .urlSafe, 16),
        KeyShape("xoxo-", .urlSafe, 16), KeyShape("xoxr-", .urlSafe, 16), KeyShape("xoxs-", .urlSafe, 16),
        KeyShape("xoxe.xox", .token, 16), KeyShape("xoxe-", .urlSafe, 16), KeyShape("xoxc-", .urlSafe, 16),
        KeyShape("xoxd-", .token, 16), KeyShape("xapp-", .urlSafe, 16),
        // OpenAI, Anthropic and others that took over the start.
        KeyShape("sk-", .alphanumeric, 24), KeyShape("sk-proj-", .urlSafe, 24), KeyShape("sk-svcacct-", .urlSafe, 24),
        KeyShape("sk-admin-", .urlSafe, 24), KeyShape("sk-ant-", .urlSafe, 24), KeyShape("sk-or-", .urlSafe, 24),
        // Google
        KeyShape("AIza", .urlSafe, 35, 35), KeyShape("ya29.", .urlSafe, 20), KeyShape("GOCSPX-", .urlSafe, 24),
        // Package registries
        KeyShape("npm_", .alphanumeric, 36, 36), KeyShape("pypi-", .urlSafe, 50), KeyShape("rubygems_", .hex, 48, 48),
        KeyShape("dckr_pat_", .urlSafe, 20),
        // Payment and mail
        KeyShape("sk_live_", .alphanumeric, 16), KeyShape("rk_live_", .alphanumeric, 16),
        KeyShape("sk_test_", .alphanumeric, 16), KeyShape("rk_test_", .alphanumeric, 16),
        KeyShape("whsec_", .token, 24), KeyShape("SG.", .token, 50),
        // Hosting and models
        KeyShape("hf_", .alphanumeric, 30, 40), KeyShape("dop_v1_", .hex, 64, 64), KeyShape("shpat_", .hex, 32, 32),
        KeyShape("shpss_", .hex, 32, 32), KeyShape("hvs.", .urlSafe, 24), KeyShape("hvb.", .urlSafe, 24),
        KeyShape("pplx-", .alphanumeric, 40), KeyShape("lsv2_", .word, 32), KeyShape("pcsk_", .word, 40),
        KeyShape("figd_", .urlSafe, 36), KeyShape("glc_", .token, 40), KeyShape("sntrys_", .token, 40),
        KeyShape("sntryu_", .hex, 64, 64), KeyShape("PMAK-", .urlSafe, 50), KeyShape("sgp_", .word, 40),
        KeyShape("sbp_", .word, 40), KeyShape("sb_secret_", .urlSafe, 24), KeyShape("napi_", .alphanumeric, 40),
        KeyShape("fo1_", .urlSafe, 40), KeyShape("FlyV1", .token, 40), KeyShape("ATATT3", .token, 60),
        KeyShape("tfp_", .token, 40), KeyShape("dt0c01.", .token, 60), KeyShape("pat-na1-", .urlSafe, 36),
        KeyShape("pat-eu1-", .urlSafe, 36), KeyShape("EAAA", .urlSafe, 50), KeyShape("v1.0-", .urlSafe, 100),
        KeyShape("hooks.slack.com/services/", .token, 30), KeyShape("ABSK", .token, 100),
        KeyShape("AGE-SECRET-KEY-1", .upper, 50), KeyShape("tskey-", .urlSafe, 20),
        KeyShape("lin_api_", .alphanumeric, 32),
    ]

    /// Which shapes start with a byte.
    static let byFirstByte: [[KeyShape]] = (0..<256).map { byte in all.filter { $0.prefix.first == UInt8(byte) } }
}
