import Testing

/// What the repository may not hold, in any file.
extension Rule {
    static let repository: [Rule] = [noMachinePaths, noRegistries, noTokens]

    /// Written in two parts, so that these rules hold for this file too.
    private static let machinePaths: [Pattern] = [
        Pattern(#"(^|[^A-Za-z0-9_.)}/-])/wo"# + "rk/[A-Za-z.]"),
        Pattern("/opt/" + "swift"),
    ]

    private static let noMachinePaths = Rule(
        name: "no path of the machine it was written on",
        appliesTo: { _ in true },
        check: { file in lines(of: file, matching: machinePaths, "a path of one machine") },
        refuses: [
            Sample("cd /wo" + "rk/project", path: "script/a"),
            Sample("/opt/" + "swift/usr/bin", path: "README.md"),
        ],
        accepts: [Sample(#"let a = "\(layers)/work/b""#), Sample("let a = upper/work/inner")]
    )

    private static let registries: [Pattern] = [
        "pypi" + ".org", "python" + "hosted.org", "registry." + "npmjs", "registry." + "yarnpkg", "crates" + ".io",
        "deb." + "debian.org", "proxy." + "golang.org", "repo." + "maven", "repo1." + "maven", "ruby" + "gems.org",
        "hex" + ".pm", "pack" + "agist.org",
    ].map { Pattern(#"(?i)(^|[^a-z0-9-])"# + $0.replacing(".", with: #"\."#)) }

    private static let noRegistries = Rule(
        name: "no package registry is named",
        appliesTo: { _ in true },
        check: { file in lines(of: file, matching: registries, "a registry's host name") },
        refuses: [Sample("https://pypi" + ".org/simple", path: "docs/a.md"), Sample("index." + "crates" + ".io")],
        accepts: [Sample("https://example.org"), Sample("a hexagon")]
    )

    private static let tokens: [Pattern] = [
        #"(^|[^A-Za-z0-9])sk-(ant-|proj-)?[A-Za-z0-9_-]{20,}"#, #"gh[pousr]_[A-Za-z0-9]{30,}"#,
        #"github_pat_[A-Za-z0-9_]{22,}"#, #"glpat-[A-Za-z0-9_-]{20,}"#,
        #"(^|[^A-Z0-9])A[KS]IA[A-Z0-9]{16}([^A-Z0-9]|$)"#,
        #"xox[abprs]-[0-9A-Za-z-]{10,}"#, #"AIza[0-9A-Za-z_-]{35}"#, #"[sr]k_live_[0-9A-Za-z]{16,}"#,
        #"npm_[A-Za-z0-9]{36}"#, #"(^|[^A-Za-z0-9_])hf_[A-Za-z0-9]{30,}"#, #"SG\.[\w-]{22}\.[\w-]{43}"#,
        #"eyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}"#,
        #"(^|[^0-9])[0-9]{8,10}:AA[A-Za-z0-9_-]{33}"#,
        #"-----BEGIN [A-Z ]*PRIVATE KEY-----\\n[A-Za-z0-9+/=]{40,}"#,
    ].map { Pattern($0) }

    private static let keyHeader = Pattern(#"-----BEGIN [A-Z ]*PRIVATE KEY-----\s*$"#)
    private static let keyBody = Pattern(#"^\s*[A-Za-z0-9+/=]{40,}\s*$"#)

    private static let noTokens = Rule(
        name: "nothing looks like a secret",
        appliesTo: { _ in true },
        check: { file in
            let keys = zip(file.lines, file.lines.dropFirst()).enumerated().filter { _, pair in
                keyHeader.matches(pair.0) && keyBody.matches(pair.1)
            }
            return lines(of: file, matching: tokens, "a token-shaped text; make it at run time")
                + keys.map { file.finding($0.offset + 1, "a private key; make it at run time") }
        },
        refuses: [
            Sample("key: sk-" + String(repeating: "a1B2", count: 8), path: "docs/a.md"),
            Sample("ghp" + "_" + String(repeating: "a1B2", count: 9)),
            Sample("AK" + "IA" + String(repeating: "A1B2", count: 4)),
            Sample("xox" + "b-123456789012-abc"),
            Sample("-----BEGIN RSA PRIVATE" + " KEY-----\n" + String(repeating: "a1B2", count: 16)),
            Sample("eyJ" + "hbGciOiJIUzI1NiJ9.eyJ" + "zdWIiOiIxIn0x.abcdefghijklmnop"),
        ],
        accepts: [
            Sample("a task-oriented-interface-for-everybody"),
            Sample("-----BEGIN PRIVATE KEY-----\nis how a key begins"),
            Sample("the prefix sk- alone"), Sample(#"Pattern("sk-[A-Za-z0-9]{20,}")"#),
        ]
    )

    private static func lines(of file: SourceFile, matching patterns: [Pattern], _ message: String) -> [Finding] {
        file.lines.enumerated().compactMap { offset, line in
            patterns.contains { $0.matches(line) } ? file.finding(offset + 1, message) : nil
        }
    }
}
