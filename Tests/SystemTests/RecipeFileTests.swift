import Foundation
import TestSupport
import Testing

@Suite("recipes are listed, explained, and added by the operator alone")
struct RecipeFileTests {
    private static let all = ["aider", "claude", "codex", "gemini", "goose", "mini-swe-agent", "opencode", "openhands"]

    @Test func theListSaysWhatIsHere() throws {
        let yard = try RecipeYard()
        let result = try yard.bailey("recipe", "list", with: ["ANTHROPIC_API_KEY": yard.secret])
        let lines = result.stdout.split(separator: "\n")
        #expect(lines.map { String($0.prefix { $0 != " " }) } == Self.all, "\(result.summary)")
        #expect(lines[1].contains(yard.yard.home + "/.local/bin/claude"))
        #expect(lines[1].hasSuffix("ANTHROPIC_API_KEY"))
        #expect(lines[2].hasSuffix("no key"))
        #expect(lines[3].contains("not here"))
        #expect(!result.stdout.contains(yard.secret))

        try yard.yard.write("{}", to: "home/.codex/auth.json")
        let json = try yard.bailey("recipe", "list", "--json")
        let codex = try #require(json.stdout.split(separator: "\n").first { $0.contains("\"codex\"") })
        #expect(codex.contains(#""credential":"~/.codex/auth.json""#), "\(codex)")
    }

    @Test(arguments: all)
    func eachIsExplained(_ name: String) throws {
        let yard = try Yard()
        let page = try yard.bailey(["recipe", "show", name])
        #expect(page.status == 0 && page.stdout.hasPrefix("\(name): "), "\(page.summary)")
        #expect(page.stdout.contains("It is known by:"))
        let json = try yard.bailey(["recipe", "show", name, "--json"])
        #expect(try json.answer.text("recipe") == name)
        #expect(json.stdout.components(separatedBy: "\"why\":").count > 3)
        #expect(
            json.stdout.components(separatedBy: "\"line\":").count
                == json.stdout.components(separatedBy: "\"why\":").count
        )
    }

    @Test func anUnknownOneIsAnError() throws {
        let yard = try Yard()
        let result = try yard.bailey(["recipe", "show", "cluade"])
        #expect(result.status == 2)
        #expect(result.stderr.contains("Did you mean claude?"), "\(result.summary)")
    }

    @Test("the operator's recipes count, and before Bailey's own", arguments: TestIdentity.available)
    func ownRecipes(_ identity: TestIdentity) throws {
        let yard = try RecipeYard(identity)
        try yard.install("mine")
        let variables = "variables:\n  - { name: MINE, value: \"{home}\", why: \"a test\" }\n"
        try yard.yard.write(yard.recipe("mine", variables), to: "config/bailey/recipes/mine.yml")
        try yard.yard.write(yard.recipe("claude", variables, program: "claude"), to: "config/bailey/recipes/claude.yml")
        for name in ["mine", "claude"] {
            let result = try yard.agent(name, "env")
            #expect(result.stdout.contains("MINE=\(yard.yard.home)\n"), "\(result.summary)")
            #expect(!result.stdout.contains("IS_SANDBOX"))
        }
        let shown = try yard.bailey("recipe", "show", "claude")
        #expect(shown.stdout.contains("from \(yard.yard.configuration)/bailey/recipes/claude.yml"), "\(shown.summary)")
    }

    @Test func filesThatOthersCanChangeAreRefused() throws {
        let yard = try RecipeYard()
        try yard.yard.write(yard.recipe("mine"), to: "config/bailey/recipes/mine.yml")
        for place in ["recipes/mine.yml", "recipes"] {
            let whole = yard.yard.configuration + "/bailey/" + place
            _ = try yard.yard.outside("chmod go+w '\(whole)'")
            let result = try yard.agent("claude", "true")
            #expect(result.status == 125)
            #expect(
                result.stderr.contains("others can change it") && result.stderr.contains("chmod go-w"),
                "\(result.summary)"
            )
            _ = try yard.yard.outside("chmod go-w '\(whole)'")
        }
        #expect(try yard.agent("claude", "true").status == 0)
    }

    struct Bad: Sendable {
        let lines: String
        let says: [String]
    }

    /// Each names the file, the line, the key, the rule and the fix.
    @Test(arguments: [
        Bad(lines: "hosts:\n  - { allow: 10.0.0.1, why: a }", says: ["line 7: hosts.allow", "address", "upstream"]),
        Bad(
            lines: "state:\n  - { directory: ../out, why: a }",
            says: ["line 7: state.directory", "below the home", "Write a path"]
        ),
        Bad(
            lines: "settings:\n  - { file: .aws/credentials, format: json, keys: [a], why: a }",
            says: ["line 7: settings.file", "credentials", "Leave it out"]
        ),
        Bad(
            lines: "variables:\n  - { name: LD_PRELOAD, value: x, why: a }",
            says: ["line 7: variables.name", "LD_PRELOAD", "hint:"]
        ),
        Bad(
            lines: "secrets:\n  - { name: A_KEY, host: a.example.com, port: 80, header: x-api-key, why: a }",
            says: ["line 7: secrets.host", "plain HTTP", "443"]
        ),
        Bad(lines: "varables: []", says: ["line 6: varables", "unknown", "Did you mean variables?"]),
    ])
    func aBadOneIsAnError(_ bad: Bad) throws {
        let yard = try RecipeYard()
        try yard.yard.write(yard.recipe("mine", bad.lines), to: "config/bailey/recipes/mine.yml")
        let result = try yard.agent("claude", "true")
        #expect(result.status == 125, "\(result.summary)")
        let file = "\(yard.yard.configuration)/bailey/recipes/mine.yml"
        for part in ["read the recipe: \(file)"] + bad.says {
            #expect(result.stderr.contains(part), "\(part): \(result.summary)")
        }
        #expect(try yard.yard.runs().isEmpty)
    }

    @Test func theFilesNameIsTheRecipes() throws {
        let yard = try RecipeYard()
        try yard.yard.write(yard.recipe("mine"), to: "config/bailey/recipes/other.yml")
        let result = try yard.agent("claude", "true")
        #expect(result.status == 125 && result.stderr.contains("Call the file mine.yml"), "\(result.summary)")
    }
}
