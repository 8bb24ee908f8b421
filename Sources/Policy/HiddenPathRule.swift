package import Domain

/// One line of the table of sensitive names.
package struct HiddenPathRule: Sendable {
    package let id: RuleID
    package let pattern: PathPattern
    package let verdict: HiddenPaths.Verdict
    package let reason: String

    private init(_ id: StaticString, _ pattern: PathPattern, _ verdict: HiddenPaths.Verdict, _ reason: String) {
        self.id = RuleID(id)
        self.pattern = pattern
        self.verdict = verdict
        self.reason = reason
    }

    /// All lines, in the order in which they are tried: the first that matches decides.
    package static let all: [HiddenPathRule] =
        rules("bailey-directory", .hidden, "Bailey's own records", [".bailey"])
        + rules(
            "environment-example",
            .visible,
            "an example to copy from, without values",
            [
                ".env*.example", ".env*.sample", ".env*.template", ".env*.dist", ".env*.defaults", "example.env",
                "sample.env", "template.env", "default.env", "defaults.env",
            ]
        )
        + rules(
            "environment-file",
            .hidden,
            "environment files hold passwords and keys",
            [".env", ".env.*", ".env-*", ".env_*", "*.env", ".dev.vars", ".dev.vars.*", ".secrets"]
        )
        + rules(
            "private-key",
            .hidden,
            "a private key or a store of keys",
            [
                "id_rsa", "id_dsa", "id_ecdsa", "id_ed25519", "id_ecdsa_sk", "id_ed25519_sk", "id_xmss", "*.key",
                "*.p12", "*.pfx", "*.p8", "*.jks", "*.keystore", "*.ppk", "*.kdbx", "*.kdb", "*.ovpn",
            ]
        )
        + rules("private-key-text", .hiddenIfPrivateKey, "a PEM file may hold a private key", ["*.pem"])
        + rules(
            "key-directory",
            .hidden,
            "a directory of keys",
            [".ssh", ".gnupg", ".password-store"]
        )
        + rules("credential-file", .hidden, "a program keeps passwords or tokens in it", credentialFiles)
        + rules(
            "infrastructure-state",
            .hidden,
            "infrastructure variables and state hold passwords in plain text",
            ["*.tfvars", "*.tfvars.json", "*.tfstate", "*.tfstate.backup", "*.tfrc.json", ".terraformrc"]
        )

    /// Files that a program keeps credentials in. `.npmrc` and `secrets.yml` are here because git would track the
    /// harmless ones, and a file that equals its entry in the index is shown anyway.
    private static let credentialFiles: [StaticString] = [
        "credentials.json", ".credentials.json", "service-account*.json", "service_account*.json",
        "serviceaccount*.json",
        "client_secret*.json", "application_default_credentials.json", "secrets.yml", "secrets.yaml", "secrets.json",
        "secrets.toml", ".netrc", "_netrc", ".authinfo", ".git-credentials", ".pypirc", ".npmrc", ".htpasswd",
        ".vault-token", ".vault_pass", ".vault-pass", ".vault_pass.txt", ".pgpass", "pgpass.conf", ".my.cnf",
        ".mylogin.cnf", ".boto", ".s3cfg", ".passwd-s3fs", ".smbcredentials", ".databrickscfg", ".dockercfg",
        "kubeconfig", "*.kubeconfig", ".aws/credentials", ".docker/config.json", ".kube/config", ".gem/credentials",
        ".cargo/credentials", ".cargo/credentials.toml", ".codex/auth.json", ".composer/auth.json", "gh/hosts.yml",
        "gcloud/credentials.db", "gcloud/access_tokens.db", "gcloud/legacy_credentials",
    ]

    private static func rules(
        _ id: StaticString,
        _ verdict: HiddenPaths.Verdict,
        _ reason: String,
        _ patterns: [StaticString]
    ) -> [HiddenPathRule] {
        patterns.map { HiddenPathRule(id, PathPattern($0), verdict, reason) }
    }
}
