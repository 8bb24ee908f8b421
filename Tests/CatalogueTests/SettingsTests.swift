import Catalogue
import Domain
import Egress
import Testing

@Suite("settings are written anew from what is listed")
struct SettingsTests {
    private func settings(_ format: String, _ keys: String, _ set: String = "") throws -> Recipe.Settings {
        let text = """
            recipe: example
            about: An agent.
            programs: [{program: example, why: a}]
            settings:
              - file: .example/settings
                format: \(format)
                why: a
                keys: [\(keys)]
                set: [\(set)]
            """
        return try #require(try Recipe(Array(text.utf8), file: "example.yml").settings.first)
    }

    private func rewrite(_ settings: Recipe.Settings, _ own: String?, _ words: [RecipeWord: String] = [:]) -> String? {
        settings.rewritten(own.map { Array($0.utf8) }, words: words) { $0.contains("hush") }.content
    }

    @Test func whatIsNotListedIsNotThere() throws {
        let own = """
            {"model": "m", "apiKeyHelper": "/bin/x", "env": {"A": "b"}, "permissions": {"allow": ["Bash(ls)"], \
            "deny": {"a": "b"}}, "mcpServers": {"a": {"headers": {"Authorization": "b"}}}}
            """
        let settings = try settings("json", "model, permissions.allow, permissions.deny, mcpServers")
        #expect(rewrite(settings, own) == #"{"model":"m","permissions":{"allow":["Bash(ls)"]}}"# + "\n")
    }

    @Test func aValueWithASecretIsLeftOut() throws {
        let settings = try settings("json", "model, list")
        let own = Array(#"{"model": "hush", "list": ["a", "hush"]}"#.utf8)
        let (content, dropped) = settings.rewritten(own, words: [:]) { $0.contains("hush") }
        #expect(content == nil)
        #expect(dropped == ["model", "list"])
    }

    @Test(arguments: ["", "{", "[1]", "\"text\"", "{\"model\": 1, \"model\": 2}"])
    func whatIsNoFileOfSettingsIsNothing(_ own: String) throws {
        #expect(rewrite(try settings("json", "model"), own) == nil)
        #expect(rewrite(try settings("json", "model"), nil) == nil)
    }

    @Test func wordsAreFilledIn() throws {
        let set = #"{key: "p.{project}.trusted", value: true, why: a}, {key: k, value: ["{key}"], why: a}"#
        let settings = try settings("json", "", set)
        #expect(rewrite(settings, nil, [.project: "/a.b/c"]) == #"{"p":{"/a.b/c":{"trusted":true}}}"# + "\n")
        #expect(rewrite(settings, nil, [.key: "x"]) == #"{"k":["x"]}"# + "\n")
    }

    @Test func whatABudgetDoesNotHoldIsSwitchedOff() throws {
        let settings = try settings("json", "find", "{key: find, value: no, without_extra: search, why: a}")
        func written(_ rules: ModelRules) -> String? {
            settings.rewritten(Array(#"{"find":"yes"}"#.utf8), words: [:], rules: rules) { _ in false }.content
        }
        #expect(written(ModelRules()) == #"{"find":"yes"}"# + "\n")
        #expect(written(ModelRules(tokensMax: 5)) == #"{"find":"no"}"# + "\n")
        let extra = ModelRules.Extra(name: "search", tokens: 5, microdollars: 0)
        #expect(written(ModelRules(tokensMax: 5, extras: [extra])) == #"{"find":"yes"}"# + "\n")
    }

    @Test func whatIsSetWins() throws {
        let settings = try settings("toml", "mode, model", "{key: mode, value: inside, why: a}")
        #expect(rewrite(settings, "mode = \"outside\"\nmodel = 'm'\n") == "mode = \"inside\"\nmodel = \"m\"\n")
    }

    @Test func tomlIsReadAsFarAsItIsUnderstood() throws {
        let own = #"""
            # mode = "comment"
            model = "a # \"b\" \u0041" # comment
            effort = 'low\n'
            count = 1_000
            part = 0.5
            flag = true
            words = ["a", 'b',]
            date = 2026-11-22
            inline = { model = "x" }
            text = """
            mode = "inside a text"
            [tui]
            theme = "inside a text"
            """
            many = [
              "a",
            ]
            [tui]
            theme = "dark"
            "a.b".c = 2
            [[servers]]
            model = "of a server"
            [profiles.x]
            model = "of a profile"
            """#
        let keys = "model, effort, count, part, flag, words, date, inline, text, mode, many, tui.theme, servers"
        let expected = """
            model = "a # \\"b\\" A"
            effort = "low\\\\n"
            count = 1000
            part = 0.5
            flag = true
            words = ["a", "b"]

            [tui]
            theme = "dark"

            """
        #expect(rewrite(try settings("toml", keys), own) == expected)
    }

    @Test func tomlIsWrittenSoThatNothingBreaksOut() throws {
        let settings = try settings("toml", "model", #"{key: "p.{project}.trust", value: yes, why: a}"#)
        let own = #"model = "a\"\nmode = \"x""#
        let text = rewrite(settings, own, [.project: "/tmp/a\"]\n[x"])
        #expect(text == "model = \"a\\\"\\u000amode = \\\"x\"\n\n[p.\"/tmp/a\\\"]\\u000a[x\"]\ntrust = \"yes\"\n")
    }

    @Test func yamlIsReadAndWritten() throws {
        let settings = try settings("yaml", "model, dark-mode, list, below")
        let own = "model: m # c\ndark-mode: true\nlist: [a, 'b']\nbelow:\n  a: b\nopenai-api-key: x\n"
        #expect(rewrite(settings, own) == "\"model\": \"m\"\n\"dark-mode\": true\n\"list\": [\"a\",\"b\"]\n")
    }

    @Test func yamlThatCannotBeReadIsNothing() throws {
        #expect(rewrite(try settings("yaml", "model"), "model: &a m\nother: *a\n") == nil)
    }
}
