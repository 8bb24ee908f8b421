import Foundation
import TestSupport
import Testing

@Suite("an agent's home holds what its recipe lists and nothing else of the user's")
struct RecipeHomeTests {
    private static let identities = TestIdentity.available

    @Test("tokens in settings and logins never appear inside", arguments: identities)
    func tokensStayOutside(_ identity: TestIdentity) throws {
        let yard = try RecipeYard(identity)
        let secret = yard.secret
        let settings = """
            {"model": "opus", "apiKeyHelper": "echo \(secret)", "env": {"MY_TOKEN": "\(secret)"},
             "hooks": {"Stop": [{"hooks": [{"type": "command", "command": "echo \(secret)"}]}]},
             "permissions": {"allow": ["Bash(curl -H 'Authorization: Bearer \(secret)')"], "deny": ["WebFetch"]}}
            """
        try yard.yard.write(settings, to: "home/.claude/settings.json")
        let state = """
            {"theme": "dark", "primaryApiKey": "\(secret)", "oauthAccount": {"emailAddress": "\(secret)"},
             "mcpServers": {"a": {"headers": {"Authorization": "\(secret)"}}}}
            """
        try yard.yard.write(state, to: "home/.claude.json")
        try yard.yard.write("{\"claudeAiOauth\": {}, \"other\": \"\(secret)\"}", to: "home/.claude/other.json")
        try yard.yard.write("# Be brief.\n", to: "home/.claude/CLAUDE.md")
        let script = """
            cat ~/.claude/settings.json ~/.claude.json ~/.claude/CLAUDE.md; ls -a ~ ~/.claude
            grep -rs "\(secret.prefix(12))" ~ /tmp /run /etc 2>/dev/null && echo found
            """
        let result = try yard.agent("claude", script, with: ["MY_TOKEN": secret, "ANTHROPIC_API_KEY": secret])
        #expect(result.stdout.contains("\"model\":\"opus\""), "\(result.summary)")
        #expect(result.stdout.contains("\"deny\":[\"WebFetch\"]"))
        #expect(result.stdout.contains("\"sandbox\":{\"enabled\":false}"))
        #expect(result.stdout.contains("\"theme\":\"dark\""))
        #expect(result.stdout.contains("# Be brief."))
        for word in ["apiKeyHelper", "hooks", "env\"", "mcpServers", "primaryApiKey", "oauthAccount", "other.json"] {
            #expect(!result.stdout.contains(word), "\(word): \(result.summary)")
        }
        #expect(!result.stdout.contains("found") && !result.stdout.contains(secret), "\(result.summary)")
        #expect(result.stderr.contains("permissions.allow of ~/.claude/settings.json stays outside"))
    }

    @Test func textsWithSecretsStayOutside() throws {
        let yard = try RecipeYard()
        try yard.yard.write("The token is \(yard.secret).\n", to: "home/.claude/CLAUDE.md")
        let result = try yard.agent("claude", "cat ~/.claude/CLAUDE.md", with: ["SOME_TOKEN": yard.secret])
        #expect(result.status != 0, "\(result.summary)")
        #expect(result.stderr.contains("~/.claude/CLAUDE.md stays outside: it holds a secret"), "\(result.summary)")
    }

    @Test func settingsThatCannotBeReadAreNone() throws {
        let yard = try RecipeYard()
        try yard.yard.write("{\"model\": ", to: "home/.claude/settings.json")
        let result = try yard.agent("claude", "cat ~/.claude/settings.json")
        #expect(result.stdout == "{\"sandbox\":{\"enabled\":false}}\n", "\(result.summary)")
        #expect(result.stderr.contains("~/.claude/settings.json is not read: it is no JSON"))
    }

    @Test("Codex finds a key where it looks for one, and no sandbox of its own")
    func codex() throws {
        let yard = try RecipeYard()
        let own = """
            model = "gpt-5"
            sandbox_mode = "workspace-write"
            [model_providers.mine]
            base_url = "https://example.com"
            experimental_bearer_token = "\(yard.secret)"
            [mcp_servers.a.env]
            TOKEN = "\(yard.secret)"
            """
        try yard.yard.write(own, to: "home/.codex/config.toml")
        try yard.yard.write("{\"OPENAI_API_KEY\": \"\(yard.secret)\"}", to: "home/.codex/auth.json")
        let script = "cat ~/.codex/config.toml ~/.codex/auth.json; env"
        let result = try yard.agent("codex", script, with: ["OPENAI_API_KEY": yard.secret])
        #expect(
            result.stdout.hasPrefix("model = \"gpt-5\"\nsandbox_mode = \"danger-full-access\"\n"),
            "\(result.summary)"
        )
        #expect(result.stdout.contains("[projects.\"\(yard.yard.project)\"]\ntrust_level = \"trusted\"\n"))
        #expect(!result.stdout.contains("mcp_servers") && !result.stdout.contains("base_url"))
        #expect(!result.stdout.contains(yard.secret), "\(result.summary)")
        let key = result.stdout.split(separator: "\n").first { $0.hasPrefix("OPENAI_API_KEY=") }?.dropFirst(15) ?? "?"
        #expect(result.stdout.contains("{\"OPENAI_API_KEY\":\"\(key)\"}"), "\(result.summary)")
        #expect(result.stdout.contains("CODEX_API_KEY=\(key)\n"))
    }

    @Test("a second run continues the first, and nobody else's", arguments: identities)
    func stateIsKept(_ identity: TestIdentity) throws {
        let yard = try RecipeYard(identity)
        try yard.yard.write("mine\n", to: "home/.claude/projects/own")
        let first = try yard.agent(
            "claude",
            "ls ~/.claude/projects; echo said > ~/.claude/projects/talk; echo x > ~/.claude/x"
        )
        #expect(first.status == 0 && first.stdout == "", "the user's own is not there: \(first.summary)")
        let second = try yard.agent("claude", "cat ~/.claude/projects/talk; ls -a ~/.claude")
        #expect(second.stdout.hasPrefix("said\n"), "\(second.summary)")
        #expect(!second.stdout.contains("\nx\n"), "only what is listed is kept: \(second.summary)")
        #expect(try yard.yard.outside("cd ~/.claude && find . -type f").stdout == "./projects/own\n")

        let other = try yard.agent("codex", "ls -A ~/.claude", "--recipe", "codex")
        #expect(other.status != 0, "another agent does not see it: \(other.summary)")
        let elsewhere = yard.yard.path + "/elsewhere"
        _ = try yard.yard.outside("mkdir '\(elsewhere)'")
        let stranger = try yard.agent("claude", "ls ~/.claude/projects", "--project", elsewhere, in: elsewhere)
        #expect(stranger.status == 0 && stranger.stdout == "", "another project does not: \(stranger.summary)")

        let reset = try yard.bailey("home", "reset")
        #expect(reset.status == 0, "\(reset.summary)")
        let empty = try yard.agent("claude", "ls ~/.claude/projects")
        #expect(empty.stdout == "", "\(empty.summary)")
    }

    /// What an agent may leave for the runs after it, and for whoever empties its home.
    private static let planted = #"""
        cd ~/.claude/projects && ln -s /etc/passwd link
        ln -s ../../../../../../../.. up && ln -s /proc/self/root root
        mkfifo pipe; mknod device c 1 3 2>/dev/null; cp /bin/sh set && chmod 6755 set; ln set hard
        touch "$(printf 'a\nb\033[31m\342\200\256')"; ln -s OUTSIDE/kept out
        python3 - <<'END'
        import os
        for depth in range(1200): os.mkdir('d' * 200); os.chdir('d' * 200)
        END
        rm -rf ~/.claude/todos; ln -sfn OUTSIDE ~/.claude/todos
        chmod 000 ~/.claude/projects ~/.cache ~/.npm
        """#

    @Test("what an agent plants in its home leads nowhere, and shuts nobody out", arguments: identities)
    func plantedState(_ identity: TestIdentity) throws {
        let yard = try RecipeYard(identity)
        try yard.yard.write("precious\n", to: "outside/kept")
        let outside = yard.yard.path + "/outside"
        let first = try yard.agent("claude", Self.planted.replacing("OUTSIDE", with: outside))
        #expect(first.status == 0, "\(first.summary)")
        // It can be opened up by the run, or by the agent to which it belongs.
        let script = """
            chmod 700 ~/.claude/projects; cd ~/.claude/projects && ls -d link; cat out; cat root/\(outside)/kept
            ls up/\(outside); ./set -c 'id -u'; stat -c %F ~/.claude/todos
            """
        let second = try yard.agent("claude", script)
        #expect(!second.stdout.contains("precious") && second.stdout.contains("link"), "\(second.summary)")
        #expect(second.stdout.hasSuffix("directory\n"), "\(second.summary)")
        let reset = try yard.bailey("home", "reset")
        #expect(reset.status == 0, "\(reset.summary)")
        #expect(try yard.yard.read("outside/kept") == "precious\n")
        let last = try yard.agent("claude", "ls -A ~/.claude/projects")
        #expect(last.status == 0 && last.stdout == "", "\(last.summary)")
    }
}
