package import Domain

/// Places that no toolchain layout, `--readable` or configuration may show to a command.
package enum CredentialPlaces {
    /// True if a path below a home directory is such a place, lies in one or holds one: showing the home itself would
    /// show them all. ASCII case ignored.
    package static func isCredentialPlace(_ path: RelativePath) -> Bool {
        holds(path, anyOf: belowHome)
    }

    /// True if an absolute path is such a place, lies in one or holds one, seen from each of these home directories.
    package static func isCredentialPlace(absolutePath: String, homes: [String]) -> Bool {
        guard let path = relativeToRoot(absolutePath) else { return true }
        if path.isRoot || holds(path, anyOf: system) { return true }
        // Every user's home, also where it is not the caller's.
        let others =
            path.components.count > 1 && path.components[0] == Array("home".utf8)
            ? ["/home/" + String(decoding: path.components[1], as: UTF8.self)] : []
        if path.components == [Array("home".utf8)] { return true }
        return (homes + ["/root"] + others).contains { home in
            guard let home = relativeToRoot(home), !home.isRoot else { return false }
            if let below = path.relative(to: home) { return isCredentialPlace(below) }
            return home.isWithin(path)
        }
    }

    /// Nil for what is not absolute or holds `..`: the caller takes that for a credential place.
    private static func relativeToRoot(_ path: String) -> RelativePath? {
        guard path.hasPrefix("/") else { return nil }
        let names = path.utf8.split(separator: UInt8(ascii: "/")).filter { !$0.elementsEqual(".".utf8) }
        return RelativePath(bytes: Array(names.joined(separator: [UInt8(ascii: "/")])))
    }

    private static func holds(_ path: RelativePath, anyOf places: [[NamePattern]]) -> Bool {
        let names = path.components.map { $0.map(ASCIIFold.lower) }
        // `zip` ends with the shorter one: either the place lies above the path or the path above the place.
        return places.contains { place in zip(place, names).allSatisfy { $0.matches($1) } }
    }

    private static func parse(_ lines: String) -> [[NamePattern]] {
        lines.split { $0 == "\n" || $0 == " " }.map { $0.split(separator: "/").map { NamePattern($0) } }
    }

    /// Outside every home. `/etc` as a whole is not readable inside either; the launcher shows a short list of its
    /// files.
    private static let system = parse(
        """
        etc/shadow* etc/gshadow* etc/sudoers* etc/ssh etc/ssl/private etc/krb5.keytab etc/docker etc/kubernetes
        etc/bailey proc sys dev run var/run var/lib/docker var/lib/containerd var/lib/kubelet var/lib/bailey
        var/spool var/log
        """
    )

    private static let belowHome = parse(
        """
        .ssh .gnupg .pki .password-store .local/share/keyrings .local/share/kwalletd .config/keybase .config/sops
        .config/age
        .aws .azure .oci .aliyun .bluemix .config/gcloud .config/azure .config/doctl .config/fly .fly .config/heroku
        .boto
        .config/rclone .s3cfg .passwd-s3fs .gsutil .mc .config/linode-cli .config/hcloud .config/scw
        .config/openstack
        .kube .docker .minikube .config/helm .config/containers .config/argocd .dockercfg .tsh .step .vault-token
        .terraform.d
        .terraformrc .pulumi .databrickscfg .snowsql .snowflake
        .netrc _netrc .authinfo* .git-credentials .config/git .gitconfig .config/gh .config/hub .config/glab-cli
        .subversion
        .npmrc .yarnrc* .pypirc .config/pip .pip .condarc .cargo/credentials* .cargo/config* .gem/credentials
        .composer/auth.json
        .config/composer/auth.json .m2/settings* .gradle/gradle.properties .gradle/init* .nuget/nuget .bunfig.toml
        .config/configstore
        .sbt/.credentials .hex/hex.config
        .ivy2/.credentials .renviron .config/pypoetry .config/uv
        .pgpass .my.cnf .mylogin.cnf .smbcredentials .msmtprc .mbsyncrc .fetchmailrc .muttrc .mutt .config/mutt
        .config/neomutt
        .claude .claude.json* .config/claude .codex .gemini .cursor .config/cursor .copilot .config/github-copilot
        .openai
        .anthropic .config/anthropic .aider* .config/goose .config/opencode .local/share/opencode .continue .codeium
        .windsurf
        .huggingface .cache/huggingface/token .cache/huggingface/stored_tokens .kaggle .ollama .config/wandb
        .mozilla .thunderbird .config/google-chrome* .config/chromium .config/bravesoftware .config/microsoft-edge*
        .config/vivaldi* .config/opera* .config/mozilla .librewolf .config/librewolf .cache/mozilla snap .var .zen
        .config/1password .config/op .op .config/bitwarden* .config/keepassxc .cache/keepassxc .lastpass
        .local/share/lpass
        .config/slack .config/discord .config/signal* .config/element .config/teams* .local/share/telegramdesktop
        .purple
        .config/weechat .weechat .config/evolution .local/share/evolution .config/code .config/vscodium
        .vscode-server
        .vscode-remote .config/jetbrains .config/zed .local/share/zed .config/dbeaver* .local/share/dbeaverdata
        .bitcoin .ethereum .electrum .config/solana .monero .android/adbkey* .android/debug.keystore
        .bash_history .zsh_history .zhistory .zsh_sessions .sh_history .histfile .history .python_history
        .node_repl_history
        .psql_history .mysql_history .sqlite_history .rediscli_history .mongodb .dbshell .irb_history .lesshst
        .viminfo
        .local/share/fish .local/share/nvim/shada .local/share/atuin .local/share/recently-used.xbel
        .local/state/nvim
        .local/state/bash .local/state/zsh .local/state/python_history .wget-hsts .xauthority .iceauthority .dbus
        .local/share/gvfs-metadata
        .config/bailey .local/state/bailey .local/share/bailey .cache/bailey .bailey .config/systemd
        .config/autostart
        .local/share/containers .env* .secrets
        """
    )
}
