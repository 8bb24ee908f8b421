import Catalogue
import Egress
import Policy
import Testing

private func provider(_ text: String) throws(ConfigurationError) -> Provider {
    try Provider(Array(text.utf8), file: "example.yml")
}

private let good = """
    provider: example
    title: Example
    about: A service.
    host: api.example.com
    endpoints:
      - { path: /v1/messages, dialect: messages }
    key: { variables: [EXAMPLE_API_KEY], header: x-api-key }
    base_urls:
      - { variable: EXAMPLE_BASE_URL, suffix: /v1 }
    credential_fields: [x-api-key]
    prices:
      date: 2026-11-22
      source: its page
      models:
        - { model: example-1, input: 3, cache_read: 0.075, output: 15 }
    """

@Suite("the services that Bailey knows")
struct ProviderTests {
    @Test(arguments: Catalogue.providerNames)
    func eachIsWhole(_ name: String) throws {
        let provider = try #require(try Catalogue.provider(name))
        #expect(provider.name == name)
        #expect(!provider.title.isEmpty)
        // One is reached with a login alone.
        #expect(provider.keyVariables.isEmpty == (name == "chatgpt"))
        #expect(provider.baseURLs.isEmpty == (name == "chatgpt"))
        #expect(!provider.model.endpoints.isEmpty)
        #expect(!provider.model.prices.isEmpty)
        #expect(provider.pricesDate >= "2026-01-01")
        #expect(!provider.pricesSource.isEmpty)
        #expect(provider.model.gatewayPort == nil)
        // Its key can be bound there, and its own field is among those that no caller fills.
        _ = try SecretBinding(host: provider.model.host.text, slot: provider.slot)
        #expect(provider.model.credentialFields.contains(provider.slot.field))
    }

    @Test(arguments: Catalogue.providerNames)
    func pricesAreSensible(_ name: String) throws {
        let provider = try #require(try Catalogue.provider(name))
        let rows = provider.model.prices
        #expect(Set(rows.map { "\($0.model) \($0.above)" }).count == rows.count)
        for row in rows where row.above > 0 {
            let first = try #require(rows.first { $0.model == row.model && $0.above == 0 }, "\(row.model)")
            #expect(row.input >= first.input && row.output >= first.output, "\(row.model)")
        }
        #expect(rows.allSatisfy { !$0.model.hasSuffix("*") }, "a family could hold a dearer model")
        for price in provider.model.prices {
            #expect(price.input > 0 && price.output >= price.input, "\(price.model)")
            #expect(price.cacheRead <= price.input && price.cacheWrite >= price.input, "\(price.model)")
            #expect(price.output <= 1_000_000_000, "\(price.model): dollars for a million tokens")
        }
    }

    @Test func whoIsReachedByALoginIsKnown() throws {
        for name in Catalogue.loginProviderNames { #expect(try Catalogue.provider(name) != nil) }
        #expect(!Catalogue.providerHint("chatgp").contains("chatgpt"))
    }

    @Test func nobodyElseIsKnown() throws {
        #expect(try Catalogue.provider("nobody") == nil)
        #expect(try Catalogue.provider("../Providers/openai") == nil)
    }

    @Test func aFileIsRead() throws {
        let provider = try provider(good)
        #expect(provider.model.host.text == "api.example.com")
        #expect(provider.baseURLs.map(\.variable) == ["EXAMPLE_BASE_URL"])
        #expect(provider.baseURLs.map(\.suffix) == ["/v1"])
        let price = try #require(provider.model.prices.first)
        #expect(price.input == 3_000_000)
        #expect(price.cacheRead == 75_000)
        #expect(price.cacheWrite == 3_000_000)
        #expect(price.longCacheWrite == 3_000_000)
    }

    struct Bad: Sendable {
        let from: String
        let to: String
        let line: Int
        let says: String
    }

    @Test(arguments: [
        Bad(from: "host: api.example.com", to: "hots: api.example.com", line: 4, says: "Did you mean host?"),
        Bad(from: "api.example.com", to: "localhost", line: 4, says: "single label"),
        Bad(from: "api.example.com", to: "169.254.169.254", line: 4, says: "address"),
        Bad(from: "api.example.com", to: "api.example.com:80", line: 4, says: "not one name"),
        Bad(from: "header: x-api-key", to: "header: user-agent", line: 7, says: "no secret travels there"),
        Bad(from: "dialect: messages", to: "dialect: latin", line: 6, says: "no such dialect"),
        Bad(from: "suffix: /v1", to: "suffix: v1/", line: 9, says: "no beginning of a path"),
        Bad(from: "date: 2026-11-22", to: "date: yesterday", line: 12, says: "no date"),
        Bad(from: "input: 3,", to: "input: -3,", line: 15, says: "no price"),
        Bad(from: "input: 3,", to: "input: 0.0000001,", line: 15, says: "no price"),
        Bad(from: "input: 3,", to: "above: many, input: 3,", line: 15, says: "no count of tokens"),
        Bad(from: "prices:", to: "limits: [max_words]\nprices:", line: 11, says: "no limit"),
        Bad(from: "prices:", to: "finishes_alone: maybe\nprices:", line: 11, says: "neither true nor false"),
        Bad(from: "title: Example\n", to: "", line: 1, says: "there is no title"),
    ])
    func aBadFileIsAnError(_ bad: Bad) throws {
        let text = good.replacing(bad.from, with: bad.to)
        #expect(text != good)
        let error = #expect(throws: ConfigurationError.self) { try provider(text) }
        let whole = "\(error?.message ?? "") \(error?.hint ?? "")"
        #expect(whole.contains(bad.says), "\(whole)")
        #expect(error?.line == bad.line, "\(whole)")
        #expect(error?.message.hasPrefix("read the provider: example.yml: line \(bad.line)") == true, "\(whole)")
    }
}
