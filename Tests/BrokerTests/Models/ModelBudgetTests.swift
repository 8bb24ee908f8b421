import Broker
import BrokerLink
import Domain
import Egress
import NIOCore
import Testing

@Suite("a budget is never passed, however many ask at once")
struct ModelBudgetTests {
    private let rules = ModelRules(tokensMax: 1000, microdollarsMax: 500)

    @Test("of many at once only as many get through as fit")
    func race() async throws {
        let budget = ModelBudget()
        let granted = await withTaskGroup(of: Bool.self) { group in
            for _ in 0..<200 {
                group.addTask { [rules] in
                    (try? budget.reserve(.init(tokens: 150, microdollars: 10), rules)) != nil
                }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(granted == 6)
        #expect(budget.sums.reserved.tokens == 900)
    }

    @Test("what was set aside and not used is there again, and what was used is not")
    func settle() throws {
        let budget = ModelBudget()
        let most = ModelBudget.Amount(tokens: 900, microdollars: 450)
        _ = try budget.reserve(most, rules)
        #expect(throws: EgressRefusal.self) { try budget.reserve(most, rules) }
        budget.settle(most, used: .init(tokens: 50, microdollars: 30))
        let second = try budget.reserve(most, rules)
        #expect(second == 2)
        budget.settle(most, used: .init(tokens: 0, microdollars: 0))
        #expect(budget.sums.used == .init(tokens: 50, microdollars: 30))
        #expect(budget.sums.reserved == .init(tokens: 0, microdollars: 0))
    }

    @Test("money counts by itself, and counts without end do not overflow")
    func money() throws {
        let budget = ModelBudget()
        let refusal = #expect(throws: EgressRefusal.self) {
            try budget.reserve(.init(tokens: 1, microdollars: 501), rules)
        }
        #expect(refusal?.reason.contains("0.0005 USD") == true, "\(refusal?.reason ?? "")")
        #expect(throws: EgressRefusal.self) {
            try budget.reserve(.init(tokens: .max, microdollars: .max), rules)
        }
        _ = try budget.reserve(.init(tokens: .max, microdollars: .max), ModelRules())
        #expect(throws: EgressRefusal.self) { try budget.reserve(.init(tokens: 1, microdollars: 0), rules) }
    }

    @Test("the reserve follows from the body, the limit and the price, and an estimate is never above it")
    func reserve() throws {
        let price = ModelProvider.Price(
            model: "m",
            input: 3_000_000,
            cacheRead: 300_000,
            cacheWrite: 3_750_000,
            longCacheWrite: 6_000_000,
            output: 15_000_000
        )
        let plain = try ModelRequest(ByteBuffer(string: #"{"model":"m","max_tokens":100}"#), .messages)
        let reserve = ModelReserve(plain, ModelTariff(price))
        #expect(reserve.tokens == .init(input: 1015, output: 100))
        #expect(reserve.microdollars == 1015 * 3 + 1500)
        let cached = try ModelRequest(
            ByteBuffer(string: #"{"model":"m","max_tokens":100,"system":[{"cache_control":{"ttl":"1h"}}]}"#),
            .messages
        )
        let long = ModelReserve(cached, ModelTariff(price))
        #expect(long.microdollars == long.tokens.input * 6 + 1500)
        var progress = ModelReserve.Progress()
        let silent = reserve.settled(UsageReader.Usage(), progress)
        #expect(silent.basis == .estimated && silent.tokens == reserve.tokens)
        progress.isStream = true
        #expect(reserve.settled(UsageReader.Usage(), progress).tokens.output == 0)
        progress.seconds = 0.125
        #expect(reserve.settled(UsageReader.Usage(), progress).tokens.output == 50)
        progress.bytes = 1 << 20
        #expect(reserve.settled(UsageReader.Usage(), progress).tokens == reserve.tokens)
        var usage = UsageReader.Usage()
        (usage.input, usage.output, usage.cacheWrite, usage.longCacheWrite) = (10, 20, 30, 10)
        usage.isFinal = true
        let whole = reserve.settled(usage, progress)
        #expect(whole.basis == .metered && whole.microdollars == 30 + 300 + 75 + 60)
        let compacting = ModelReserve(
            plain,
            ModelTariff(price),
            extras: [.init(name: "compact_20260112", tokens: 700, microdollars: 0)]
        )
        #expect(compacting.tokens.input == 1715 && compacting.settled(usage, progress).tokens.input == 710)
    }

    private static func provider(isReseller: Bool = false) throws -> ModelProvider {
        func price(_ model: String, above: UInt64 = 0, _ input: UInt64, _ output: UInt64) -> ModelProvider.Price {
            .init(
                model: model,
                above: above,
                input: input,
                cacheRead: 0,
                cacheWrite: 0,
                longCacheWrite: 0,
                output: output
            )
        }
        return ModelProvider(
            name: "p",
            host: try HostName("api.example.com"),
            endpoints: [],
            credentialFields: [],
            prices: [
                price("gpt-4", 30, 60), price("gpt-5", 1, 8), price("gpt-5", above: 1000, 2, 9),
                price("gpt-5-mini", 2, 3), price("my-*", 4, 4), price("my-own-*", 5, 5),
            ],
            isReseller: isReseller,
            gatewayPort: nil
        )
    }

    @Test(
        "a price is that of its name, with a date behind it or not, or of a family that is listed",
        arguments: [
            ("gpt-4", 30), ("gpt-4-0613", 30), ("gpt-4-latest", 30), ("gpt-4-2025-01-02", 30), ("gpt-4-20250102", 30),
            ("gpt-4-32k", nil), ("gpt-4-turbo", nil), ("gpt-4.1", nil), ("gpt-5.1", nil), ("gpt-5-", nil),
            ("gpt-5-mini-2026-01-02", 2), ("gpt-5-mini-2026", 2), ("gpt-5-0613-32k", nil), ("gpt-5:online", nil),
            ("gpt-5-latest-pro", nil), ("my-x", 4), ("my-own-x", 5), ("MY-x", nil), ("claude", nil), ("", nil),
        ] as [(String, UInt64?)]
    )
    func prices(_ model: String, _ input: UInt64?) throws {
        let tariff = try Self.provider().tariff(of: model)
        #expect(tariff?.price(reading: 1).input == input, "\(model)")
    }

    @Test("a long request has the price of long ones, and an unknown model at most the dearest, but at a reseller")
    func tariffs() throws {
        let provider = try Self.provider()
        let tariff = try #require(provider.tariff(of: "gpt-5"))
        #expect(tariff.price(reading: 0).input == 1 && tariff.price(reading: 1000).output == 8)
        #expect(tariff.price(reading: 1001).output == 9)
        let dearest = provider.dearest?.price(reading: 5)
        #expect(dearest?.input == 30 && dearest?.output == 60)
        #expect(try Self.provider(isReseller: true).dearest == nil)
    }

    @Test("lists of models are cut down to what both hold")
    func names() throws {
        let list = ModelRules.both(["claude-*", "gpt-5"], ["claude-haiku-*", "gpt-*", "o3"])
        #expect(list == ["claude-haiku-*", "gpt-5"])
        let rules = ModelRules(models: list)
        #expect(rules.allows("claude-haiku-4") && !rules.allows("claude-opus-4") && !rules.allows("gpt-5-mini"))
        #expect(!ModelRules(models: []).allows("x") && ModelRules().allows("x"))
    }
}

@Suite("what is billed is metered, in whatever spelling it is asked for")
struct ModelEndpointTests {
    private func endpoint(_ method: String, _ path: String, isSocket: Bool = false) throws -> ModelEndpoint {
        let provider = ModelProvider(
            name: "p",
            host: try HostName("api.example.com"),
            endpoints: [
                .init(path: "/v1/messages", dialect: .messages), .init(path: "/v1/responses", dialect: .responses),
            ],
            credentialFields: [],
            prices: [],
            gatewayPort: nil
        )
        var request = RequestHead(
            method: method,
            scheme: .https,
            target: try ConnectTarget(Array("api.example.com:443".utf8)),
            path: path,
            fields: HTTPFields(),
            body: .none
        )
        request.isWebSocket = isSocket
        return ModelEndpoint(request, at: provider)
    }

    @Test func kinds() throws {
        #expect(try endpoint("POST", "/v1/messages") == .billed(.messages))
        #expect(try endpoint("POST", "/v1/messages?beta=true") == .billed(.messages))
        #expect(try endpoint("POST", "/v1/messages/count_tokens?beta=true") == .free)
        #expect(try endpoint("POST", "/v1/responses/compact") == .billed(.responses))
        #expect(try endpoint("GET", "/v1/models") == .other)
        #expect(try endpoint("POST", "/v1/messages/batches") == .unmetered)
        #expect(try endpoint("POST", "/v1/embeddings") == .unmetered)
        #expect(try endpoint("GET", "/v1/responses", isSocket: true) == .socket)
    }

    @Test(
        arguments: [
            "/v1/messages/", "//v1/messages", "/v1//messages", "/V1/Messages", "/v1/mess%61ges", "/v1/mess%2561ges",
            "/v1/./messages", "/v1/x/../messages", "/v1/messages;x=1", "/v1/x/%2e%2e/messages", "/v1\\messages",
            "/v1%2fmessages",
        ]
    )
    func spellings(_ path: String) throws {
        #expect(try endpoint("POST", path) == .misspelled("/v1/messages"), "\(path)")
        #expect(try endpoint("PUT", "/v1/messages") == .misspelled("/v1/messages"))
    }
}
