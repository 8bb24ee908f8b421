import Catalogue
import Domain
import Egress
import Policy
import Testing

private func recipe(_ text: String) throws(ConfigurationError) -> Recipe {
    try Recipe(Array(text.utf8), file: "/etc/example/example.yml")
}

private let good = """
    recipe: example
    title: Example
    about: An agent.
    programs:
      - { program: example, why: "its name" }
    hosts:
      - { allow: files.example.com, why: "its files" }
    providers:
      - { name: anthropic, base_url: true, also: [LLM_API_KEY], why: "its models" }
    secrets:
      - { name: EXAMPLE_API_KEY, host: api.example.com, header: x-api-key, why: "its key" }
    logins:
      - { login: claude, why: "a subscription" }
    variables:
      - { name: EXAMPLE_UPDATE, value: "0", why: "no updates" }
      - { pass: EXAMPLE_MODEL, why: "your model" }
    wall:
      - { name: EXAMPLE_SANDBOX, value: "1", why: "a wall" }
    settings:
      - file: .example/settings.json
        format: json
        why: "your settings"
        keys: [model, ui.theme]
        set:
          - { key: "trusted.{project}", value: true, wall: true, why: "a wall" }
    instructions:
      - { file: .example/RULES.md, why: "your rules" }
    state:
      - { directory: .example/conversations, why: "what was said" }
    """

@Suite("the agents that Bailey knows")
struct BuiltInRecipeTests {
    @Test(arguments: Catalogue.recipeNames)
    func eachIsWhole(_ name: String) throws {
        let recipe = try #require(try Catalogue.recipe(name))
        #expect(recipe.name == name)
        #expect(!recipe.providers.isEmpty)
        #expect(!recipe.state.isEmpty)
        for provider in recipe.providers { #expect(Catalogue.providerNames.contains(provider.name)) }
    }

    @Test func theIndexAgreesWithTheFiles() throws {
        for name in Catalogue.recipeNames {
            let recipe = try #require(try Catalogue.recipe(name))
            for program in recipe.programs {
                #expect(Catalogue.recipeName(program.kind, program.name) == name, "\(program.name)")
            }
        }
        #expect(Catalogue.recipeName(.program, "bash") == nil)
        #expect(Catalogue.recipeName(.module, "claude") == nil)
    }

    /// Agents with walls of their own are told of this one.
    @Test(arguments: ["claude", "codex", "gemini"])
    func theWallIsTold(_ name: String) throws {
        #expect(try Catalogue.recipe(name)?.tellsOfWall == true)
    }

    /// No file with a login or a key is read.
    @Test(arguments: Catalogue.recipeNames)
    func noCredentialIsRead(_ name: String) throws {
        let recipe = try #require(try Catalogue.recipe(name))
        for settings in recipe.settings where !settings.keys.isEmpty {
            let path = try #require(RelativePath(settings.file))
            #expect(!HiddenPaths.hides(path), "\(settings.file)")
        }
    }
}

@Suite("recipes are checked like rules")
struct RecipeReaderTests {
    @Test func everyKeyIsRead() throws {
        let recipe = try recipe(good)
        #expect(recipe.programs.map(\.name) == ["example"])
        #expect(recipe.hosts.map(\.rule.text) == ["files.example.com"])
        #expect(recipe.providers.first?.usesBaseURL == true)
        #expect(recipe.providers.first?.also == ["LLM_API_KEY"])
        #expect(recipe.secrets.first?.binding.host.text == "api.example.com")
        #expect(recipe.logins.map(\.kind) == [.claude])
        #expect(recipe.variables.map(\.value) == ["0", nil])
        #expect(recipe.settings.first?.keys == [["model"], ["ui", "theme"]])
        #expect(recipe.tellsOfWall)
        #expect(recipe.instructions.map(\.path) == [".example/RULES.md"])
        #expect(recipe.state.map(\.path) == [".example/conversations"])
    }

    struct Bad: Sendable, CustomTestStringConvertible {
        let from: String
        let to: String
        let line: Int
        let says: String
        var code = ConfigurationError.Code.widens
        var testDescription: String { to }
    }

    /// What no configuration lifts, no recipe lifts either.
    @Test(arguments: [
        Bad(from: "allow: files.example.com", to: "allow: 169.254.169.254", line: 7, says: "address"),
        Bad(from: "allow: files.example.com", to: "allow: metadata.google.internal", line: 7, says: "upstream"),
        Bad(from: "allow: files.example.com", to: "allow: 10.0.0.1", line: 7, says: "address"),
        Bad(from: "allow: files.example.com", to: "allow: localhost", line: 7, says: "single label"),
        Bad(from: "host: api.example.com", to: "host: api.example.com, port: 80", line: 11, says: "plain HTTP"),
        Bad(from: "host: api.example.com", to: "host: api.example.com, port: 22", line: 11, says: "port 22"),
        Bad(from: "host: api.example.com", to: "host: 127.0.0.1", line: 11, says: "address"),
        Bad(from: "name: EXAMPLE_UPDATE", to: "name: LD_PRELOAD", line: 15, says: "LD_PRELOAD"),
        Bad(from: "name: EXAMPLE_UPDATE", to: "name: PATH", line: 15, says: "PATH"),
        Bad(from: "name: EXAMPLE_UPDATE", to: "name: PYTHONPATH", line: 15, says: "PYTHONPATH"),
        Bad(from: "name: EXAMPLE_UPDATE", to: "name: GIT_SSH_COMMAND", line: 15, says: "load code"),
        Bad(from: "pass: EXAMPLE_MODEL", to: "pass: AWS_SECRET_ACCESS_KEY", line: 16, says: "a secret by its name"),
        Bad(from: "pass: EXAMPLE_MODEL", to: "pass: GITHUB_TOKEN", line: 16, says: "a secret by its name"),
        Bad(from: "name: EXAMPLE_SANDBOX", to: "name: HOME", line: 18, says: "HOME"),
        Bad(from: "file: .example/settings.json", to: "file: .aws/credentials", line: 20, says: "credentials"),
        Bad(from: "file: .example/settings.json", to: "file: .ssh/config", line: 20, says: "keys"),
        Bad(from: "file: .example/settings.json", to: "file: .codex/auth.json", line: 20, says: "tokens"),
        Bad(from: "file: .example/settings.json", to: "file: .example/.env", line: 20, says: "environment"),
        Bad(from: "file: .example/settings.json", to: "file: ../other/settings.json", line: 20, says: "below the home"),
        Bad(from: "file: .example/settings.json", to: "file: /etc/passwd", line: 20, says: "below the home"),
        Bad(from: "keys: [model, ui.theme]", to: "keys: [\"*\"]", line: 23, says: "more than one value"),
        Bad(from: "keys: [model, ui.theme]", to: "keys: [primaryApiKey]", line: 23, says: "credential"),
        Bad(from: "keys: [model, ui.theme]", to: "keys: [env.ANY]", line: 23, says: "credential"),
        Bad(from: "file: .example/RULES.md", to: "file: .example/settings.json", line: 27, says: "only texts"),
        Bad(from: "file: .example/RULES.md", to: "file: .netrc.md/../.netrc", line: 27, says: "below the home"),
        Bad(from: "directory: .example/conversations", to: "directory: .ssh", line: 29, says: "keys"),
        Bad(from: "directory: .example/conversations", to: "directory: .local/bin", line: 29, says: "PATH"),
        Bad(from: "directory: .example/conversations", to: "directory: .local", line: 29, says: "credentials"),
        Bad(from: "directory: .example/conversations", to: "directory: .config/git", line: 29, says: "credentials"),
        Bad(from: "directory: .example/conversations", to: "directory: .claude", line: 29, says: "logins"),
        Bad(from: "directory: .example/conversations", to: "directory: /var/lib/x", line: 29, says: "below the home"),
    ])
    func oneThatWidensIsAnError(_ bad: Bad) throws { try refuses(bad) }

    @Test(arguments: [
        Bad(from: "hosts:", to: "host:", line: 6, says: "Did you mean hosts?", code: .unknownKey),
        Bad(from: "wall: true", to: "walls: true", line: 25, says: "Did you mean wall?", code: .unknownKey),
        Bad(from: "name: anthropic", to: "name: antropic", line: 9, says: "Did you mean anthropic?", code: .badValue),
        Bad(from: "login: claude", to: "login: cloud", line: 13, says: "claude, codex", code: .badValue),
        Bad(from: ", why: \"its name\"", to: "", line: 5, says: "there is no why", code: .badValue),
        Bad(from: "program: example", to: "program: bin/example", line: 5, says: "no program's name", code: .badValue),
        Bad(from: "program: example", to: "program: example, npx: x", line: 5, says: "several", code: .badValue),
        Bad(from: "header: x-api-key", to: "header: user-agent", line: 11, says: "no secret", code: .badValue),
        Bad(from: "format: json", to: "format: ini", line: 21, says: "json, toml, yaml", code: .badValue),
        Bad(from: "{project}", to: "{workspace}", line: 25, says: "{project}", code: .badValue),
        Bad(
            from: "directory: .example/conversations",
            to: "directory: .example",
            line: 1,
            says: "would cover it",
            code: .badValue
        ),
        Bad(
            from: "file: .example/RULES.md, why: \"your rules\" }",
            to: "file: .a.md, why: a }\n  - { file: .a.md, why: a }",
            line: 1,
            says: "there twice",
            code: .badValue
        ),
        Bad(from: "recipe: example", to: "recipe: ../example", line: 1, says: "no name", code: .badValue),
    ])
    func oneWithAMistakeIsAnError(_ bad: Bad) throws { try refuses(bad) }

    private func refuses(_ bad: Bad) throws {
        let text = good.replacing(bad.from, with: bad.to)
        #expect(text != good)
        let error = #expect(throws: ConfigurationError.self) { try recipe(text) }
        let whole = "\(error?.message ?? "") \(error?.hint ?? "")"
        #expect(whole.contains(bad.says), "\(whole)")
        #expect(error?.code == bad.code, "\(whole)")
        #expect(error?.line == bad.line, "\(whole)")
        #expect(error?.key != nil || error?.line == 1 || bad.says == "several", "\(whole)")
        #expect(error?.message.hasPrefix("read the recipe: /etc/example/example.yml: line") == true, "\(whole)")
        #expect(error?.hint?.isEmpty == false)
    }
}
