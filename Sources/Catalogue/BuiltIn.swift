/// The files of this module's directories, which the program carries in itself.
enum BuiltIn {
    /// One file: read only when somebody asks for it, since a run should start at once.
    struct File: Sendable {
        let name: String
        let bytes: @Sendable () -> [UInt8]

        init(_ name: String, _ bytes: @escaping @Sendable @autoclosure () -> [UInt8]) {
            self.name = name
            self.bytes = bytes
        }
    }

    static let providers = [
        File("anthropic", PackageResources.anthropic_yml), File("chatgpt", PackageResources.chatgpt_yml),
        File("deepseek", PackageResources.deepseek_yml),
        File("google", PackageResources.google_yml), File("groq", PackageResources.groq_yml),
        File("mistral", PackageResources.mistral_yml), File("openai", PackageResources.openai_yml),
        File("openrouter", PackageResources.openrouter_yml), File("xai", PackageResources.xai_yml),
    ]

    static let recipes = [
        File("aider", PackageResources.aider_yml),
        File("claude", PackageResources.claude_yml),
        File("codex", PackageResources.codex_yml),
        File("gemini", PackageResources.gemini_yml),
        File("goose", PackageResources.goose_yml),
        File("mini-swe-agent", PackageResources.mini_swe_agent_yml),
        File("opencode", PackageResources.opencode_yml),
        File("openhands", PackageResources.openhands_yml),
    ]

    /// By what each is known: what the files say, so that none is read at runs of other programs.
    static let programs: [(kind: Recipe.Program.Kind, name: String, recipe: String)] = [
        (.program, "aider", "aider"),
        (.module, "aider", "aider"),
        (.uvx, "aider-chat", "aider"),
        (.program, "claude", "claude"),
        (.npx, "@anthropic-ai/claude-code", "claude"),
        (.program, "codex", "codex"),
        (.npx, "@openai/codex", "codex"),
        (.program, "gemini", "gemini"),
        (.npx, "@google/gemini-cli", "gemini"),
        (.program, "goose", "goose"),
        (.program, "mini", "mini-swe-agent"),
        (.program, "mini-swe-agent", "mini-swe-agent"),
        (.module, "minisweagent", "mini-swe-agent"),
        (.uvx, "mini-swe-agent", "mini-swe-agent"),
        (.program, "opencode", "opencode"),
        (.npx, "opencode-ai", "opencode"),
        (.program, "openhands", "openhands"),
        (.module, "openhands_cli", "openhands"),
        (.uvx, "openhands", "openhands"),
        (.uvx, "openhands-ai", "openhands"),
    ]
}
