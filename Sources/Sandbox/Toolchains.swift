import Files
import Glibc

/// The closed table of places in a home where people install programs. What exists of them is shown read-only, whatever
/// the command is; nothing is inferred from the project.
package enum Toolchains {
    /// Below the home. A directory that holds settings or tokens beside programs is listed by its program part only.
    static let places = [
        ".asdf", ".bun/bin", ".bun/install/global", ".cargo/bin", ".deno/bin", ".dotnet", ".fnm", ".ghcup", ".goenv",
        ".juliaup", ".jenv", ".local/bin", ".local/lib", ".local/opt", ".local/pipx", ".local/share/claude",
        ".local/share/fnm", ".local/share/mise/installs", ".local/share/mise/shims", ".local/share/pipx",
        ".local/share/pnpm", ".local/share/rtx", ".local/share/swiftly", ".local/share/uv", ".local/share/virtualenvs",
        ".nodenv", ".npm-global", ".nvm", ".opam", ".phpenv", ".pyenv", ".rbenv", ".rustup/settings.toml",
        ".rustup/toolchains", ".rvm", ".sdkman/bin", ".sdkman/candidates", ".swiftly", ".volta/bin", ".volta/tools",
        "bin", "go/bin", "miniconda3", "miniforge3", "mambaforge", "anaconda3", ".pixi/bin", ".pixi/envs",
    ]

    /// The places that exist, as absolute paths.
    package static func present(inHome home: String) -> [String] {
        places.map { home + "/" + $0 }.filter { access($0, F_OK) == 0 }
    }

    /// Files among the programs that hold their user's settings and with them, often, a token. `*` stands for one name.
    private static let settings = [
        ".asdf/installs/nodejs/*/etc/npmrc", ".fnm/node-versions/*/installation/etc/npmrc",
        ".local/share/fnm/node-versions/*/installation/etc/npmrc", ".local/share/mise/installs/node/*/etc/npmrc",
        ".npm-global/etc/npmrc", ".nvm/.npmrc", ".nvm/versions/node/*/etc/npmrc", ".pyenv/versions/*/etc/pip.conf",
        ".pyenv/versions/*/pip.conf", ".volta/tools/image/node/*/etc/npmrc", "anaconda3/.condarc",
        "mambaforge/.condarc", "miniconda3/.condarc", "miniforge3/.condarc",
    ]
    /// Versions of one tool that are looked at.
    private static let versionsMax = 1024

    /// The settings files that exist, as absolute paths: they are covered where their directory is shown.
    package static func presentSettings(inHome home: String) -> [String] {
        settings.flatMap { pattern -> [String] in
            let parts = pattern.split(separator: "*", maxSplits: 1).map(String.init)
            guard parts.count == 2 else { return [home + "/" + pattern] }
            let parent = home + "/" + parts[0]
            guard let directory = try? Directory(trustedPath: parent),
                let versions = try? directory.entries(atMost: versionsMax)
            else { return [] }
            return versions.map { parent + String(decoding: $0.name, as: UTF8.self) + parts[1] }
        }
        .filter { access($0, F_OK) == 0 }
    }

    /// Variables that tell programs where their installation lies, for what is there.
    package static func variables(inHome home: String) -> [(name: String, value: String)] {
        [
            ("RUSTUP_HOME", ".rustup"), ("PYENV_ROOT", ".pyenv"), ("NVM_DIR", ".nvm"), ("RBENV_ROOT", ".rbenv"),
            ("SDKMAN_DIR", ".sdkman"), ("VOLTA_HOME", ".volta"), ("BUN_INSTALL", ".bun"),
        ]
        .filter { access(home + "/" + $0.1, F_OK) == 0 }
        .map { (name: $0.0, value: home + "/" + $0.1) }
    }
}
