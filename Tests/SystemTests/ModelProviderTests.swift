import Foundation
import TestSupport
import Testing

@Suite("--model-provider lets a command use a service's models")
struct ModelProviderTests {
    @Test(arguments: TestIdentity.available)
    func itFindsTheServiceInside(_ identity: TestIdentity) throws {
        let yard = try RecipeYard(identity)
        let key = ["OPENAI_API_KEY": yard.secret]
        let result = try yard.bailey(
            "run",
            "--model-provider",
            "openai",
            "--model-provider=anthropic",
            "--",
            "/usr/bin/env",
            with: key.merging(["ANTHROPIC_API_KEY": yard.secret + "2"]) { $1 }
        )
        #expect(result.status == 0, "\(result.summary)")
        for line in [
            "OPENAI_BASE_URL=http://198.18.0.1:3130/v1", "OPENAI_API_BASE=http://198.18.0.1:3130/v1",
            "ANTHROPIC_BASE_URL=http://198.18.0.1:3131",
        ] {
            #expect(result.stdout.contains(line + "\n"), "\(line): \(result.summary)")
        }
        #expect(result.stdout.contains("OPENAI_API_KEY=") && result.stdout.contains("ANTHROPIC_API_KEY="))
        #expect(!result.stdout.contains(yard.secret), "\(result.summary)")
        let record = try yard.created()
        #expect(
            record.contains(#"{"name":"openai","gateway_port":3130},{"name":"anthropic","gateway_port":3131}"#),
            "\(record)"
        )
        #expect(record.contains(#""network":["api.openai.com"#), "\(record)")
    }

    @Test func theKeyMayLieInAFile() throws {
        let yard = try RecipeYard()
        try yard.yard.write(yard.secret + "\n", to: "home/key")
        _ = try yard.yard.outside("chmod 600 ~/key")
        let file = ["GOOGLE_API_KEY_FILE": yard.yard.home + "/key"]
        let result = try yard.bailey("run", "--model-provider", "google", "--", "/usr/bin/env", with: file)
        #expect(result.stdout.contains("GOOGLE_API_KEY="), "\(result.summary)")
        #expect(!result.stdout.contains("GEMINI_API_KEY") && !result.stdout.contains("API_KEY_FILE"))
    }

    @Test func aKeyMayHaveAnotherNameOutside() throws {
        let yard = try RecipeYard()
        let text = "secrets:\n  - { name: MODEL_KEY, host: api.anthropic.com, header: x-api-key }\n"
        try yard.yard.write(text, to: "config/bailey/config.yml")
        let words = ["run", "--model-provider", "anthropic", "--", "/usr/bin/env"]
        let result = try yard.yard.bailey(words, with: ["MODEL_KEY": yard.secret])
        let values = result.stdout.split(separator: "\n").filter { $0.contains("_KEY=") }.map {
            $0.split(separator: "=")[1]
        }
        #expect(values.count == 2 && values.first == values.last, "\(result.summary)")
        #expect(!result.stdout.contains(yard.secret))
    }

    @Test(arguments: [
        (["antropic"], "Did you mean anthropic?"), (["nobody-at-all"], "The services are anthropic, deepseek"),
        (["openai", "openai"], "it is there twice"), ([""], "there is no such service"),
        (["chatgpt"], "it takes no key, only a login"),
    ])
    func aWrongOneIsAnError(_ names: [String], _ says: String) throws {
        let yard = try Yard()
        let words = ["run"] + names.flatMap { ["--model-provider", $0] } + ["--", "/bin/true"]
        let result = try yard.bailey(words)
        #expect(result.status == 2, "\(result.summary)")
        #expect(result.stderr.contains(says), "\(result.summary)")
        #expect(try yard.runs().isEmpty)
    }
}
