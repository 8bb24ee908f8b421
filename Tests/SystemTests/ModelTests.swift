import Foundation
import TestSupport
import Testing

/// Runs with a provider of models, which a small agent asks at the base URL that it is given.
@Suite("what a run uses of models is bounded, written down before and after, and told")
struct ModelTests {
    private static let gateway = ["--model-provider", "anthropic"]

    private func ask(_ agents: AgentYard, _ options: [String], _ agent: [String]) throws -> ProcessResult {
        try agents.yard.bailey(["run"] + options + ["--"] + agent, with: ["ANTHROPIC_API_KEY": agents.key])
    }

    @Test("a run says its tokens, and its journal alone says them later", arguments: TestIdentity.available)
    func sums(_ identity: TestIdentity) throws {
        let agents = try AgentYard(identity)
        try agents.script(["true"])
        let run = try ask(agents, Self.gateway + ["--json"], AgentYard.agent("anthropic", "--stream"))
        #expect(run.status == 0 && run.stderr.contains("bailey: Tokens: anthropic/"), "\(run.summary)")
        let sums = ": 2,400 in, 160 out, 2 requests"
        #expect(run.stderr.contains(sums), "\(run.summary)")
        let page = try agents.yard.bailey(["runs", "show"])
        #expect(page.stdout.contains("models    Tokens: anthropic/") && page.stdout.contains(sums), "\(page.summary)")
        let later = try agents.yard.bailey(["runs", "show", "--json"]).answer
        #expect(later.number("models.input_tokens") == 2400 && later.number("models.requests") == 2)
        #expect(run.stdout.contains(#""models":{"requests":2,"input_tokens":2400,"#), "\(run.summary)")
        let events = try agents.yard.events()
        let models = events.filter { $0.hasPrefix("MODEL_") }
        #expect(models == ["MODEL_REQUESTED", "MODEL_SETTLED", "MODEL_REQUESTED", "MODEL_SETTLED"], "\(events)")
        #expect(events.contains("MODELS_ENDED"))
    }

    @Test("a budget ends the agent's work with one clear line", arguments: TestIdentity.available)
    func budget(_ identity: TestIdentity) throws {
        let agents = try AgentYard(identity)
        try agents.script(["true", "true", "true"])
        let run = try ask(agents, Self.gateway + ["--tokens", "3500"], AgentYard.agent("anthropic"))
        let reason = "[model-budget]: the run may use 3500 tokens"
        #expect(run.stderr.contains(reason), "\(run.summary)")
        #expect(try agents.requests().count < 4)
        let page = try agents.yard.bailey(["runs", "show"])
        #expect(page.stdout.contains(reason), "\(page.summary)")
        let reached = page.stdout.split(separator: "\n").filter { $0.hasPrefix("may reach ") }
            .map { $0.replacingOccurrences(of: ":443", with: "") }
        #expect(!reached.isEmpty && Set(reached).count == reached.count, "\(page.summary)")
        let listed = try ask(agents, Self.gateway, AgentYard.agent("anthropic"))
        #expect(listed.status == 0, "\(listed.summary)")
    }

    @Test("a broker that is killed loses no entry and doubles none", arguments: TestIdentity.available)
    func killed(_ identity: TestIdentity) throws {
        let agents = try AgentYard(identity)
        try agents.script(["true"], holdingAt: 1)
        let words = Self.gateway + ["--"] + AgentYard.agent("anthropic", "--stream")
        let run = try agents.run(words, with: ["ANTHROPIC_API_KEY": agents.key]) { process in
            let killed = try ProcessRunner.run(
                "/bin/sh",
                arguments: ["-c", "kill -9 $(pgrep -P \(try Self.bailey(process)) -x bailey-broker)"]
            )
            #expect(killed.status == 0, "\(killed.summary)")
        }
        #expect(run.stdout.contains("Tokens: ") && run.stdout.contains("1 estimated"), "\(run.summary)")
        let journal = try agents.yard.read("project/.bailey/runs/\(agents.yard.lastRun())/journal/journal.jsonl")
        let lines = try journal.split(separator: "\n").map { try Answer(Data($0.utf8)) }
        let types = lines.compactMap { $0.text("type") }.filter { $0.hasPrefix("MODEL_") }
        #expect(types == ["MODEL_REQUESTED", "MODEL_SETTLED", "MODEL_REQUESTED", "MODEL_SETTLED"], "\(types)")
        let last = journal.split(separator: "\n").last { $0.contains("MODEL_SETTLED") } ?? ""
        #expect(last.contains(#""basis":"estimated""#), "\(last)")
        let verified = try agents.yard.bailey(["journal", "verify"])
        #expect(verified.status == 0, "\(verified.summary)")
    }

    @Test("what was under way when Bailey was killed is closed by the next start", arguments: TestIdentity.available)
    func killedBailey(_ identity: TestIdentity) throws {
        let agents = try AgentYard(identity)
        try agents.script(["true"], holdingAt: 0)
        let words = Self.gateway + ["--"] + AgentYard.agent("anthropic")
        _ = try agents.run(words, with: ["ANTHROPIC_API_KEY": agents.key]) { process in
            kill(try Self.bailey(process), SIGKILL)
        }
        let killed = try agents.yard.lastRun()
        #expect(try agents.yard.events(killed).filter { $0.hasPrefix("MODEL_") } == ["MODEL_REQUESTED"])
        for _ in 0..<2 { #expect(try agents.yard.bailey(["run", "--", "true"]).status == 0) }
        let events = try agents.yard.events(killed).filter { $0.hasPrefix("MODEL_") }
        #expect(events == ["MODEL_REQUESTED", "MODEL_SETTLED"], "\(events)")
    }

    /// The process that is `bailey` itself, below whatever it was started with.
    private static func bailey(_ process: pid_t) throws -> pid_t {
        let found = try ProcessRunner.run("/usr/bin/pgrep", arguments: ["-P", "\(process)", "-x", "bailey"])
        return found.stdout.split(separator: "\n").first.flatMap { pid_t($0) } ?? process
    }

    @Test("amounts that are none are refused in words")
    func badAmounts() throws {
        let yard = try Yard()
        for (option, value, words) in [
            ("--tokens", "0", "whole number"), ("--money", "5", "USD"), ("--money", "-1 USD", "USD"),
            ("--money", "1.0000001 USD", "USD"),
        ] {
            let run = try yard.bailey(["run", option, value, "--", "true"])
            #expect(run.status == 2 && run.stderr.contains(words) && run.stderr.contains(option), "\(run.summary)")
        }
        try yard.write("models: {allow: [claude-*, gpt-5*]}\nlimits: {money: 5 USD}\n", to: "config/bailey/config.yml")
        try yard.write("models: {prices: []}\n", to: "project/bailey.yml")
        let run = try yard.bailey(["run", "--", "true"])
        #expect(run.status != 0 && run.stderr.contains("models.prices") && run.stderr.contains("operator"))
        try yard.write("models: {allow: [\"a b\"]}\n", to: "project/bailey.yml")
        #expect(try yard.bailey(["run", "--", "true"]).stderr.contains("is no model's name"))
    }
}
