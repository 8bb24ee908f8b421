import Domain
import Policy

/// What a recipe may name below a home, as far as names tell.
enum RecipePlaces {
    /// Places that are closed to everything else because agents keep tokens there. A recipe shows nothing of them but
    /// the values and texts that it lists, and conversations are kept apart from the user's.
    private static let agents = [
        ".aider", ".aider.conf.yml", ".claude", ".claude.json", ".codex", ".config/goose", ".config/opencode",
        ".gemini",
        ".local/share/opencode", ".continue", ".cursor", ".copilot",
    ]
    /// Below these a program could be started by name, or what git and shells obey.
    private static let active = [
        ".local/bin", ".local/lib", ".cargo/bin", "bin", "go/bin", ".npm-global", ".bun", ".deno", ".config/git",
        ".config/bash", ".config/fish", ".config/environment.d", ".profile.d", ".bashrc.d", ".local/share/claude",
        ".local/share/uv", ".local/share/pipx",
    ]

    /// What is wrong with a path, and the fix.
    static func problem(_ text: String, isRead: Bool) -> (problem: String, hint: String)? {
        guard !text.hasPrefix("/"), !text.hasPrefix("~"), let path = RelativePath(text), !path.isRoot else {
            return ("\(quoted(text)) does not lie below the home", "Write a path such as .agent/settings.json.")
        }
        if isRead, let hiding = firstHidden(path) {
            return ("\(quoted(text)): \(hiding.reason)", "Nothing shows hidden paths. Leave it out.")
        }
        if !agents.contains(where: { text == $0 || text.hasPrefix($0 + "/") }),
            CredentialPlaces.isCredentialPlace(path)
        {
            return ("\(quoted(text)) is, or holds, a place for credentials", "No recipe shows those. Leave it out.")
        }
        return nil
    }

    /// What makes a directory one that cannot be kept; it is below the home already.
    static func stateProblem(_ text: String) -> String? {
        let isActive = active.contains { text == $0 || text.hasPrefix($0 + "/") || $0.hasPrefix(text + "/") }
        if isActive { return "\(quoted(text)) is where programs are found, and what is kept is never on PATH" }
        // The whole of these holds settings and logins, which are made anew for each run.
        if agents.contains(text), text != ".local/share/opencode" {
            return "\(quoted(text)) holds settings and logins beside conversations"
        }
        if [".config", ".local", ".local/share", ".local/state", ".cache"].contains(text) {
            return "\(quoted(text)) belongs to all programs"
        }
        return nil
    }

    private static func firstHidden(_ path: RelativePath) -> HiddenPathRule? {
        var current = path
        while !current.isRoot {
            if let rule = HiddenPaths.rule(for: current), rule.verdict != .visible { return rule }
            current = current.parent
        }
        return nil
    }

    private static func quoted(_ text: String) -> String { "\"" + Printable.text(String(text.prefix(80))) + "\"" }
}

/// What a recipe may set, by name.
enum RecipeVariables {
    /// By these, interpreters and libraries are told to load code, or whom to trust.
    private static let prefixes = [
        "PYTHON", "NODE_", "PERL", "RUBY", "JAVA", "JDK_", "GIT_", "BASH", "SSL_", "CURL_", "SSH_", "XDG_", "CARGO_",
        "RUSTUP_", "NPM_", "UV_", "PIP_",
    ]
    private static let secretWords = [
        "token", "secret", "password", "passwd", "credential", "apikey", "api_key", "api-key", "auth", "private",
        "cookie", "headers",
    ]

    static func problem(_ name: String) -> (problem: String, hint: String)? {
        if let problem = SecretName.problem(name) { return problem }
        if SensitiveVariable.isSensitive(name) {
            return (
                "it is a secret by its name, and its value would be seen inside",
                "Bind it by `secrets:` or `providers:`, so that only what stands for it is seen."
            )
        }
        if prefixes.contains(where: name.uppercased().hasPrefix) {
            return ("programs load code or trust others by it", "Leave it out, or give it by --env for a single run.")
        }
        return nil
    }

    static func isSecretKey(_ part: String) -> Bool {
        let lower = part.lowercased()
        return secretWords.contains { lower.replacing("author", with: "").contains($0) } || lower == "env"
            || lower.hasSuffix("key")
            || lower.hasSuffix("helper")
    }
}
