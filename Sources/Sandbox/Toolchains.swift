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
