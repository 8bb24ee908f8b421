import Domain
import Policy
import Testing

@Suite("sensitive names are absent from the view")
struct HiddenPathsTests {
    @Test(arguments: [
        ".env", ".ENV", "a/b/.env", ".env.local", ".env.production", ".Env.Local", ".env-old", ".env_backup", ".env~",
        ".env.bak",
        "#.env#", "..env.swp", "prod.env", ".dev.vars", "id_rsa", "ID_RSA", "keys/id_ed25519", "id_ecdsa_sk",
        "id_ed25519_sk",
        "server.key", "Server.KEY", "server.key~", "server.key.bak", "a.p12", "a.pfx", "a.jks", "a.keystore", "a.ppk",
        "a.kdbx", "credentials.json", "service-account.json", "service-account-prod.json", "client_secret_1.json",
        ".netrc",
        "_netrc", ".git-credentials", ".pypirc", ".npmrc", ".aws/credentials", "home/.AWS/credentials",
        ".docker/config.json", ".kube/config", ".htpasswd", ".vault-token", "x.tfvars", "x.tfvars.json",
        "terraform.tfstate",
        "terraform.tfstate.backup", ".pgpass", ".my.cnf", ".boto", ".s3cfg", "config/secrets.yml", ".ssh", "a/.gnupg",
        ".bailey", "deep/down/.BAILEY", "id_rsa.old", ".cargo/credentials.toml",
    ])
    func hidden(_ text: String) throws {
        let path = try #require(RelativePath(text))
        #expect(HiddenPaths.judge(path) == .hidden)
        #expect(try #require(HiddenPaths.rule(for: path)).reason.isEmpty == false)
    }

    @Test(arguments: [
        ".env.example", ".env.sample", ".env.template", ".env.dist", ".env.defaults", ".env.local.example",
        ".ENV.EXAMPLE",
        "example.env", ".envrc", ".environment", "env", "environment.ts", "id_rsa.pub", "id_ed25519.pub",
        "id_rsa_test.py",
        "key", "keyboard", "monkey", "credentials.ts", "credentials", "config.json", "config", "kube/config",
        "package.json", "hosts.yml", "main.swift", "bailey", "bailey.yml", "README.md", "tfvars", "notes~", "#notes#",
        "main.c.bak",
        "service-account.ts", "a.keystore.txt", ".gitignore", ".bashrc", ".ssh-config.md", "x.pub", "a.crt", "a.cer",
        "Makefile",
    ])
    func visible(_ text: String) throws {
        #expect(HiddenPaths.judge(try #require(RelativePath(text))) == .visible)
    }

    @Test(arguments: ["cert.pem", "CERT.PEM", "a/b/privkey.pem", "x.pem.bak"])
    func decidedByContent(_ text: String) throws {
        #expect(HiddenPaths.judge(try #require(RelativePath(text))) == .hiddenIfPrivateKey)
    }

    @Test(
        "whatever lies below a hidden directory is hidden",
        arguments: [
            (".ssh/config", true), ("a/.gnupg/x/y", true), (".bailey/runs/r_1/run.json", true), ("a/b", false),
            (".env/x", true),
            (".", false),
        ]
    )
    func below(_ text: String, _ expected: Bool) throws {
        let path = text == "." ? RelativePath.root : try #require(RelativePath(text))
        #expect(HiddenPaths.hides(path) == expected)
    }

    @Test func everyRuleIsReachedThroughTheFilter() throws {
        for rule in HiddenPathRule.all {
            for filler in ["", "x", ".x", "-1"] {
                let text = rule.pattern.description.split(separator: "*", omittingEmptySubsequences: false)
                    .joined(separator: filler)
                let path = try #require(RelativePath(text))
                let decided = try #require(HiddenPaths.rule(for: path), "\(text)")
                #expect(HiddenPaths.judge(path) == decided.verdict, "\(text)")
            }
        }
    }

    @Test("the filter never lets a name go that the table knows")
    func filterAgreesWithTable() throws {
        var state: UInt64 = 42
        let pieces = [
            ".env", "id_rsa", ".key", "key", ".", "~", ".bak", "a", "service-account", ".json", ".tfvars", "#", "..",
            ".PEM", "x.y",
            ".swp", "credentials", "secrets", ".yml", ".example", "_", "-",
        ]
        for _ in 0..<20_000 {
            var text = ""
            for _ in 0..<3 {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                text += pieces[Int(state >> 33) % pieces.count]
            }
            guard let path = RelativePath(text), !path.isRoot else { continue }
            let expected = HiddenPaths.rule(for: path)?.verdict ?? .visible
            #expect(HiddenPaths.judge(path) == expected, "\(text)")
        }
    }

    @Test func privateKeysAreRecognised() {
        let dashes = String(repeating: "-", count: 5)
        func text(_ label: String) -> [UInt8] { Array("junk\n\(dashes)BEGIN \(label)\(dashes)\nMII".utf8) }
        for label in [
            "PRIVATE KEY", "RSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "PGP PRIVATE KEY BLOCK",
        ] {
            #expect(HiddenPaths.holdsPrivateKey(text(label)))
        }
        for label in ["CERTIFICATE", "PUBLIC KEY", "RSA PUBLIC KEY"] {
            #expect(!HiddenPaths.holdsPrivateKey(text(label)))
        }
        #expect(!HiddenPaths.holdsPrivateKey([]))
        #expect(!HiddenPaths.holdsPrivateKey(Array("\(dashes)BEGIN ".utf8)))
        #expect(HiddenPaths.holdsPrivateKey(text("CERTIFICATE") + text("PRIVATE KEY")))
    }
}

@Suite("credential places are never shown")
struct CredentialPlacesTests {
    @Test(arguments: [
        ".ssh", ".ssh/id_x", ".SSH", ".gnupg", ".aws", ".aws/credentials", ".azure", ".config", ".config/gcloud",
        ".kube", ".docker",
        ".netrc", ".git-credentials", ".password-store", ".mozilla/firefox", ".config/google-chrome", ".local",
        ".local/share",
        ".local/share/keyrings", ".claude", ".codex", ".config/gh", ".bash_history", ".zsh_history",
        ".local/state/bailey",
        ".config/bailey", ".cargo", ".cargo/credentials.toml", ".npmrc", ".local/share/fish/fish_history", ".env",
    ])
    func refused(_ text: String) throws {
        #expect(CredentialPlaces.isCredentialPlace(try #require(RelativePath(text))))
    }

    @Test func theHomeItselfIsRefused() { #expect(CredentialPlaces.isCredentialPlace(RelativePath.root)) }

    @Test(
        "toolchain layouts are no credential places",
        arguments: [
            ".pyenv/versions", ".nvm/versions", ".cargo/bin", ".cargo/registry", ".rustup/toolchains",
            ".rustup/settings.toml",
            ".local/bin", ".local/share/uv", ".local/share/pipx", ".local/share/claude", ".bun", ".deno",
            ".sdkman/candidates", "models",
            "go/pkg/mod", ".m2/repository", ".gradle/caches", ".local/share/mise",
        ]
    )
    func allowed(_ text: String) throws {
        #expect(!CredentialPlaces.isCredentialPlace(try #require(RelativePath(text))))
    }

    @Test(arguments: [
        ("/home/u/.ssh", true), ("/home/u", true), ("/home", true), ("/", true), ("/root", true), ("/root/.aws", true),
        ("/home/other/.gnupg/x", true), ("/home/other", true), ("/srv/people/u/.ssh", true), ("/srv/people", true),
        ("/srv", true),
        ("/etc", true), ("/etc/shadow", true), ("/etc/ssl/private/x", true), ("/proc", true),
        ("/run/docker.sock", true),
        ("/home/u/../other/.ssh", true), ("relative", true), ("/home/./u//.ssh", true), ("/srv/models", false),
        ("/home/u/models", false), ("/home/u/.cargo/bin", false), ("/usr/share", false), ("/etc/hosts", false),
    ])
    func absolute(_ path: String, _ expected: Bool) {
        #expect(CredentialPlaces.isCredentialPlace(absolutePath: path, homes: ["/srv/people/u"]) == expected)
    }
}
