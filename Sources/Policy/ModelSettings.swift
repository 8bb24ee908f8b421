import Domain
import Egress

/// What one file's `models:` section says; nil where it does not say it.
struct ModelSettings: Equatable {
    var allow: [String]?
    var prices: [ModelProvider.Price]?
    var extras: [ModelRules.Extra]?
}

extension ConfigurationLayer {
    private static let modelBytesMax = 200
    private static let modelHint = "Write a model's name, or its beginning with * behind it, such as claude-*."
    private static let extraHint =
        "Write entries such as {name: web_search, tokens: 50000, money: 0.10 USD}: what each request with it may use "
        + "besides."
    private static let priceHint =
        "Write entries such as {model: my-model, input: 3, output: 15}: dollars for a "
        + "million tokens."

    func readModels(_ value: YAMLValue, _ path: String) throws(ConfigurationError) -> [String] {
        var models: [String] = []
        for (text, line) in try texts(value, path) {
            let name = text.hasSuffix("*") ? text.dropLast() : text[...]
            guard text.utf8.count <= Self.modelBytesMax, name.utf8.allSatisfy({ (0x21...0x7E).contains($0) }),
                !name.contains("*")
            else {
                throw error(.badValue, line, path, "\(quoted(text)) is no model's name", Self.modelHint)
            }
            guard !models.contains(text) else {
                throw error(.badValue, line, path, "\(quoted(text)) is listed twice", "Keep one of them.")
            }
            models.append(text)
        }
        return models
    }

    func readPrices(_ value: YAMLValue, _ path: String) throws(ConfigurationError) -> [ModelProvider.Price] {
        var prices: [ModelProvider.Price] = []
        for item in try items(value, path, hint: Self.priceHint) {
            let price = try readPrice(item, path)
            guard !prices.contains(where: { $0.model == price.model }) else {
                throw error(.badValue, item.line, path, "\(quoted(price.model)) has two prices", "Keep one of them.")
            }
            prices.append(price)
        }
        return prices
    }

    private func readPrice(_ item: YAMLValue, _ path: String) throws(ConfigurationError) -> ModelProvider.Price {
        var texts: [String: String] = [:]
        for entry in try entries(of: item, key: path) {
            let key = path + "." + entry.key
            try checkKnown(entry, key, among: ConfigurationKey.price)
            texts[entry.key] = try scalar(entry, key, accepted: "one word")
        }
        for key in ["model", "input", "output"] where texts[key] == nil {
            throw error(.badValue, item.line, path, "a price has no \(key)", Self.priceHint)
        }
        func dollars(_ key: String) throws(ConfigurationError) -> UInt64? {
            guard let text = texts[key] else { return nil }
            if let amount = MoneyText.microdollars(text + " USD") { return amount }
            throw error(.badValue, item.line, path + "." + key, "\(quoted(text)) is no amount", Self.priceHint)
        }
        let model = texts["model"] ?? ""
        guard model.utf8.count <= Self.modelBytesMax, model.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw error(.badValue, item.line, path, "\(quoted(model)) is no model's name", Self.priceHint)
        }
        let input = try dollars("input") ?? 0
        let write = try dollars("cache_write") ?? input
        return ModelProvider.Price(
            model: model,
            input: input,
            cacheRead: try dollars("cache_read") ?? input,
            cacheWrite: write,
            longCacheWrite: try dollars("long_cache_write") ?? write,
            output: try dollars("output") ?? 0
        )
    }

    func readExtras(_ value: YAMLValue, _ path: String) throws(ConfigurationError) -> [ModelRules.Extra] {
        var extras: [ModelRules.Extra] = []
        for item in try items(value, path, hint: Self.extraHint) {
            let extra = try readExtra(item, path)
            guard !extras.contains(where: { $0.name == extra.name }) else {
                throw error(.badValue, item.line, path, "\(quoted(extra.name)) is listed twice", "Keep one of them.")
            }
            extras.append(extra)
        }
        return extras
    }

    private func readExtra(_ item: YAMLValue, _ path: String) throws(ConfigurationError) -> ModelRules.Extra {
        var name: String?
        var tokens: UInt64?
        var microdollars: UInt64 = 0
        for entry in try entries(of: item, key: path) {
            let key = path + "." + entry.key
            try checkKnown(entry, key, among: ConfigurationKey.extra)
            switch entry.key {
            case "name": name = try scalar(entry, key, accepted: "one word")
            case "tokens": tokens = try count(entry, key)
            case "money": microdollars = try money(entry, key)
            default: break
            }
        }
        guard let name, let tokens else {
            let missing = name == nil ? "name" : "tokens"
            throw error(.badValue, item.line, path, "an entry has no \(missing)", Self.extraHint)
        }
        guard name.utf8.count <= Self.modelBytesMax, name.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw error(.badValue, item.line, path, "\(quoted(name)) is no name", Self.extraHint)
        }
        return ModelRules.Extra(name: name, tokens: tokens, microdollars: microdollars)
    }

    func money(_ entry: YAMLEntry, _ path: String) throws(ConfigurationError) -> UInt64 {
        let text = try scalar(entry, path, accepted: MoneyText.accepted)
        if let money = MoneyText(text) { return money.microdollars }
        throw error(.badValue, entry.line, path, "\(quoted(text)) is not an amount", "Write \(MoneyText.accepted).")
    }
}
