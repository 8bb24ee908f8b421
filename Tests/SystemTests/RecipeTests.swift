import Foundation
import TestSupport
import Testing

@Suite("a known agent is run as its recipe says")
struct RecipeTests {
    private static let identities = TestIdentity.available

    @Test("an agent's own name is enough", arguments: identities)
    func recognises(_ identity: TestIdentity) throws {
        let yard = try RecipeYard(identity)
        let result = try yard.agent("claude", "env; cat ~/.claude.json", with: ["ANTHROPIC_API_KEY": yard.secret])
        #expect(result.status == 0, "\(result.summary)")
        #expect(result.stdout.contains("IS_SANDBOX=1\n"))
        #expect(result.stdout.contains("DISABLE_AUTOUPDATER=1\n"))
        #expect(result.stdout.contains("ANTHROPIC_API_KEY="))
        #expect(!result.stdout.contains(yard.secret), "the key is nowhere inside")
        #expect(result.stdout.contains("\"hasCompletedOnboarding\":true"))
        #expect(result.stdout.contains("\"\(yard.yard.project)\":{\"hasTrustDialogAccepted\":true"))
        // By the end of a key the agent knows that it may use it.
        let key = result.stdout.split(separator: "\n").first { $0.hasPrefix("ANTHROPIC_API_KEY=") } ?? ""
        #expect(result.stdout.contains("\"approved\":[\"\(key.suffix(20))\"]"))
        let record = try yard.created()
        #expect(record.contains(#""recipe":{"name":"claude","told_of_wall":true}"#), "\(record)")
        #expect(record.contains(#""models":[{"name":"anthropic","gateway_port":null}]"#), "\(record)")
        #expect(!record.contains(yard.secret))
    }

    @Test func itCanBeLeftOutOrChosen() throws {
        let yard = try RecipeYard()
        let key = ["ANTHROPIC_API_KEY": yard.secret]
        let without = try yard.agent("claude", "env", "--no-recipe", with: key)
        #expect(!without.stdout.contains("IS_SANDBOX"), "\(without.summary)")
        #expect(!without.stdout.contains("ANTHROPIC_API_KEY"))
        #expect(try yard.created().contains("\"recipe\":null"))
        let chosen = try yard.agent("/bin/sh", "env", "--recipe", "claude", with: key)
        #expect(chosen.status != 0, "sh takes no script as its name: \(chosen.summary)")
        let script = try yard.bailey("run", "--recipe", "claude", "--", "/usr/bin/env", with: key)
        #expect(script.stdout.contains("IS_SANDBOX=1"), "\(script.summary)")
        let unknown = try yard.agent("claude", "true", "--recipe", "cloude")
        #expect(unknown.status == 2)
        #expect(unknown.stderr.contains("Did you mean claude?"), "\(unknown.summary)")
        let both = try yard.agent("claude", "true", "--recipe", "claude", "--no-recipe")
        #expect(both.status == 2, "\(both.summary)")
    }

    @Test func whatIsMissingIsSaidInOneLine() throws {
        let yard = try RecipeYard()
        let result = try yard.agent("claude", "env")
        #expect(result.status == 0)
        let lines = result.stderr.split(separator: "\n").filter { $0.contains("has no key") }
        #expect(lines.count == 1, "\(result.summary)")
        #expect(lines.first?.contains("ANTHROPIC_API_KEY") == true)
        let quiet = try yard.agent("claude", "true", with: ["ANTHROPIC_API_KEY": yard.secret])
        #expect(!quiet.stderr.contains("has no key"), "\(quiet.summary)")
    }

    /// Whoever made the project could have called a program so.
    @Test("what lies in the project is no agent", arguments: identities)
    func refusesProject(_ identity: TestIdentity) throws {
        let yard = try RecipeYard(identity)
        try yard.install("claude", at: "project/bin")
        let key = ["ANTHROPIC_API_KEY": yard.secret]
        let own = yard.yard.project + "/bin"
        let link = yard.yard.home + "/.local/bin/codex"
        _ = try yard.yard.outside("ln -sf '\(own)/claude' '\(link)' && ln -sfn '\(own)' \"$HOME/go\"")
        yard.path = [own] + yard.path
        for word in ["claude", "./bin/claude", own + "/claude", link] {
            let result = try yard.agent(word, "env", with: key)
            #expect(!result.stdout.contains("IS_SANDBOX"), "\(word): \(result.summary)")
            #expect(!result.stdout.contains("ANTHROPIC_API_KEY"), "\(word): \(result.summary)")
            #expect(result.stderr.contains("it lies in the project"), "\(word): \(result.summary)")
            #expect(try yard.created().contains("\"recipe\":null"), "\(word)")
        }
    }

    @Test("what others can change is no agent", arguments: identities)
    func refusesOthers(_ identity: TestIdentity) throws {
        let yard = try RecipeYard(identity)
        for (mode, place) in [("777", ".local/bin"), ("777", ".local"), ("666", ".local/bin/claude")] {
            let whole = yard.yard.home + "/" + place
            _ = try yard.yard.outside("chmod \(mode) '\(whole)'; chmod +x \"$HOME/.local/bin/claude\"")
            let result = try yard.agent("claude", "env", with: ["ANTHROPIC_API_KEY": yard.secret])
            #expect(!result.stdout.contains("IS_SANDBOX"), "\(place): \(result.summary)")
            #expect(result.stderr.contains("others can change"), "\(place): \(result.summary)")
            _ = try yard.yard.outside("chmod -R 755 \"$HOME/.local\"")
        }
        let healed = try yard.agent("claude", "env", with: ["ANTHROPIC_API_KEY": yard.secret])
        #expect(healed.stdout.contains("IS_SANDBOX=1"), "\(healed.summary)")
    }

    /// `python -m` looks in the working directory first, `npx` obeys the project's settings.
    @Test func runnersThatPreferTheProjectAreNotFollowed() throws {
        let yard = try RecipeYard()
        try yard.yard.write("import os; print(dict(os.environ))\n", to: "project/aider.py")
        let key = ["OPENAI_API_KEY": yard.secret]
        let unsafe = try yard.bailey("run", "--", "/usr/bin/python3", "-m", "aider", with: key)
        #expect(!unsafe.stdout.contains("OPENAI_API_KEY"), "\(unsafe.summary)")
        #expect(unsafe.stderr.contains("-P before -m"), "\(unsafe.summary)")
        let safe = try yard.bailey("run", "--", "/usr/bin/python3", "-I", "-m", "aider", with: key)
        #expect(try yard.created().contains("\"name\":\"aider\""), "\(safe.summary)")
        #expect(!safe.stdout.contains("AIDER_ANALYTICS"), "the project's file was not run: \(safe.summary)")

        try yard.install("npx")
        let package = "@anthropic-ai/claude-code@2"
        _ = try yard.bailey("run", "--", "npx", "-y", package)
        #expect(try yard.created().contains("\"name\":\"claude\""))
        try yard.yard.write("registry=https://registry.example.com\n", to: "project/.npmrc")
        let refused = try yard.bailey("run", "--", "npx", "-y", package)
        #expect(refused.stderr.contains(".npmrc in the project"), "\(refused.summary)")
        #expect(try yard.created().contains("\"recipe\":null"))
    }

    @Test("a project narrows what a recipe reaches")
    func projectNarrows() throws {
        let yard = try RecipeYard()
        let key = ["ANTHROPIC_API_KEY": yard.secret]
        let wide = try yard.agent("claude", "getent hosts api.anthropic.com", with: key)
        #expect(wide.stdout.contains("api.anthropic.com"), "\(wide.summary)")
        try yard.yard.write("network:\n  allow: [files.example.com]\n", to: "project/bailey.yml")
        let narrow = try yard.agent("claude", "getent hosts api.anthropic.com", with: key)
        #expect(!narrow.stdout.contains("api.anthropic.com"), "\(narrow.summary)")
        #expect(narrow.status != 0)
    }
}
