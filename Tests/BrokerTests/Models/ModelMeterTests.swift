import Broker
import BrokerLink
import Domain
import Egress
import TestSupport
import Testing

@Suite("a budget holds what a service does besides, bills otherwise or finishes alone", .serialized)
struct ModelMeterTests {
    private static let search = #"{"model":"m","max_tokens":9,"tools":[{"type":"web_search_20250305"}]}"#
    private static let roomy = ModelRules(tokensMax: 1_000_000)

    @Test("what a service does by itself is refused with a budget, in words that name it and the fix")
    func refused() throws {
        let yard = try ModelYard(Self.roomy)
        for (path, body, name) in [
            ("/v1/messages", Self.search, "web_search_20250305"),
            ("/v1/responses", #"{"model":"m","previous_response_id":"x"}"#, "previous_response_id"),
            ("/v1/chat/completions", #"{"model":"m","web_search_options":{}}"#, "web_search_options"),
            ("/v1/chat/completions", #"{"model":"m:online"}"#, "m:online"),
        ] {
            let answer = try yard.ask(path, body)
            #expect(answer.hasPrefix("HTTP/1.1 400") && answer.contains("Bailey-Rule: model-extra"), "\(answer)")
            #expect(answer.contains(name) && answer.contains("models.extras"), "\(answer)")
        }
        #expect(yard.seen() == [])
    }

    @Test("without a budget it passes, and is told; a tool with another model does not pass a list of models")
    func unlimited() throws {
        let yard = try ModelYard(ModelRules(models: ["m"]))
        #expect(try yard.ask("/v1/messages", Self.search).hasPrefix("HTTP/1.1 200"))
        guard case .requested(let requested) = yard.yard.ledger.models(2).first else {
            Issue.record("nothing was told")
            return
        }
        #expect(requested.extras == ["web_search_20250305"])
        let advisor = Self.search.replacing(#""}]"#, with: #"","model":"n"}]"#)
        #expect(try yard.ask("/v1/messages", advisor).contains("model-extra"))
    }

    @Test("what an operator allows has its amount set aside, and its money counts")
    func allowed() throws {
        var rules = ModelRules(microdollarsMax: 100_000)
        rules.extras = [.init(name: "web_search_20250305", tokens: 5000, microdollars: 30_000)]
        let yard = try ModelYard(rules)
        #expect(try yard.ask("/v1/messages", Self.search).hasPrefix("HTTP/1.1 200"))
        guard case .requested(let requested) = yard.yard.ledger.models(2).first else {
            Issue.record("nothing was told")
            return
        }
        #expect(requested.tokens.input > 6000 && (requested.microdollars ?? 0) > 36_000, "\(requested)")
        #expect(yard.settled().first?.microdollars == 30_000 + 11 + 15)
        // The second would fit, and a third not, whatever their answers say.
        #expect(try yard.ask("/v1/messages", Self.search).hasPrefix("HTTP/1.1 200"))
        _ = yard.settled(4)
        #expect(try yard.ask("/v1/messages", Self.search.replacing("9", with: "4000")).contains("model-budget"))
        #expect(yard.seen().count == 2)
    }

    @Test("a request without a limit gets one with a budget, by the name that the service reads")
    func stated() throws {
        let yard = try ModelYard(Self.roomy) { $0.limitNames = ["max_tokens", "max_output_tokens"] }
        _ = try yard.ask("/v1/chat/completions", #"{"model":"m","max_completion_tokens":5}"#)
        _ = try yard.ask("/v1/responses", #"{"model":"m"}"#)
        _ = try yard.ask("/v1/responses/compact", #"{"model":"m"}"#)
        let bodies = yard.seen().map { $0.split(separator: " ").last.map(String.init) ?? "" }
        #expect(bodies[0] == #"{"max_tokens":32000,"model":"m","max_completion_tokens":5}"#, "\(bodies)")
        #expect(bodies[1] == #"{"max_output_tokens":32000,"model":"m"}"# && bodies[2] == #"{"model":"m"}"#, "\(bodies)")
        let quiet = try ModelYard(Self.roomy) { $0.limitNames = [] }
        _ = try quiet.ask("/v1/responses", #"{"model":"m","max_output_tokens":5}"#)
        guard case .requested(let requested) = quiet.yard.ledger.models(2).first else {
            Issue.record("nothing was told")
            return
        }
        #expect(requested.tokens.output == 128_000)
    }

    @Test("an unknown model counts as the dearest where money is limited, and has no price where it is not")
    func unknown() throws {
        let yard = try ModelYard(ModelRules(microdollarsMax: 10_000))
        _ = try yard.ask("/v1/messages", #"{"model":"other","max_tokens":9}"#)
        #expect(yard.settled().first?.microdollars == 11 + 15)
        let dear = try yard.ask("/v1/messages", #"{"model":"other","max_tokens":9000}"#)
        #expect(dear.contains("model-budget") && dear.contains("its price is not known"), "\(dear)")
        let free = try ModelYard()
        _ = try free.ask("/v1/messages", #"{"model":"other","max_tokens":9}"#)
        #expect(free.settled().first?.microdollars == nil)
        let reseller = try ModelYard(ModelRules(microdollarsMax: 10_000)) { $0.isReseller = true }
        #expect(try reseller.ask("/v1/messages", #"{"model":"other"}"#).contains("model-unpriced"))
    }

    @Test("an answer that goes on without its client counts in full", arguments: [true, false])
    func alone(_ isDetached: Bool) throws {
        let yard = try ModelYard { $0.finishesAlone = !isDetached }
        let more = isDetached ? #","background":true"# : ""
        do {
            let body = #"{"model":"m","max_output_tokens":900,"stream":true,"user":"endless"\#(more)}"#
            let client = try RawClient(port: yard.gateway)
            client.send(yard.request("/v1/responses", body))
            #expect(client.read(until: "message_start").contains("200"))
        }
        #expect(yard.settled().first?.tokens.output == 900)
    }
}

@Suite("where models are limited, none is reached past the meter")
struct UnmeteredHostTests {
    private func decide(_ host: String, _ rules: ModelRules) throws -> EgressDecision {
        var policy = NetworkPolicy()
        policy.allow = [try NetworkRule(host)]
        var settings = BrokerSettings(policy: policy)
        settings.models = rules
        let target = try ConnectTarget(Array("\(host):443".utf8))
        return Judge { _, _ in false }.judge(target, settings).0
    }

    @Test(arguments: [
        "api.openai.com", "my.openai.azure.com", "bedrock-runtime.us-east-1.amazonaws.com",
        "us-central1-aiplatform.googleapis.com", "aiplatform.googleapis.com", "generativelanguage.googleapis.com",
        "bedrock-mantle.us-east-1.api.aws", "openrouter.ai", "aiplatform.us.rep.googleapis.com",
        "codestral.mistral.ai", "api.individual.githubcopilot.com", "us-aiplatform.mtls.googleapis.com",
    ])
    func hosts(_ host: String) throws {
        let refused = try decide(host, ModelRules(tokensMax: 5))
        #expect(refused.verdict == .deny && refused.rule == RuleID("model-unmetered"), "\(refused)")
        #expect(try decide(host, ModelRules(models: ["m"])).verdict == .deny)
        #expect(try decide(host, ModelRules()).verdict == .allow)
    }

    @Test(arguments: ["s3.us-east-1.amazonaws.com", "storage.googleapis.com", "example.com", "api.cloudflare.com"])
    func others(_ host: String) throws {
        #expect(try decide(host, ModelRules(tokensMax: 5)).verdict == .allow)
    }
}
