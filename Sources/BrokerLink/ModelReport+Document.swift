package import Domain

/// Reports on models as JSON, on their way from the broker to the supervisor.
extension ModelReport {
    private static let nameBytesMax = 256
    /// Larger counts are none that anybody could use.
    private static let countMax: UInt64 = 1 << 53

    package var json: JSONValue {
        switch self {
        case .requested(let request):
            .object([
                ("kind", .string("requested")), ("number", .unsigned(request.number)),
                ("provider", .string(request.provider)), ("model", .string(request.model)),
                ("tokens", Self.json(request.tokens)), ("microdollars", Self.json(request.microdollars)),
                ("extras", .array(request.extras.map { .string($0) })),
            ])
        case .settled(let settled):
            .object([
                ("kind", .string("settled")), ("number", .unsigned(settled.number)),
                ("tokens", Self.json(settled.tokens)), ("microdollars", Self.json(settled.microdollars)),
                ("basis", .string(settled.basis.rawValue)),
            ])
        case .refused(let provider, let model):
            .object([
                ("kind", .string("refused")), ("provider", .string(provider)), ("model", .string(model)),
            ])
        }
    }

    /// Nil for what is no such object.
    package init?(_ value: JSONValue) {
        switch value["kind"]?.stringValue {
        case "requested":
            guard let number = value["number"]?.unsignedValue, let provider = Self.name(value["provider"]),
                let model = Self.name(value["model"]), let tokens = Self.tokens(value["tokens"]),
                let microdollars = Self.money(value["microdollars"]), let items = value["extras"]?.arrayValue
            else { return nil }
            let extras = items.compactMap(Self.name)
            guard extras.count == items.count, extras.count <= Requested.extrasMax else { return nil }
            self = .requested(
                Requested(
                    number: number,
                    provider: provider,
                    model: model,
                    tokens: tokens,
                    microdollars: microdollars,
                    extras: extras
                )
            )
        case "settled":
            guard let number = value["number"]?.unsignedValue, let tokens = Self.tokens(value["tokens"]),
                let microdollars = Self.money(value["microdollars"]),
                let basis = Basis(rawValue: value["basis"]?.stringValue ?? "")
            else { return nil }
            self = .settled(Settled(number: number, tokens: tokens, microdollars: microdollars, basis: basis))
        case "refused":
            guard let provider = Self.name(value["provider"]), let model = Self.name(value["model"]) else {
                return nil
            }
            self = .refused(provider: provider, model: model)
        default: return nil
        }
    }

    private static func json(_ tokens: ModelUse.Tokens) -> JSONValue {
        .object([
            ("input", .unsigned(min(tokens.input, countMax))),
            ("cache_read", .unsigned(min(tokens.cacheRead, countMax))),
            ("cache_write", .unsigned(min(tokens.cacheWrite, countMax))),
            ("output", .unsigned(min(tokens.output, countMax))),
        ])
    }

    private static func json(_ microdollars: UInt64?) -> JSONValue {
        microdollars.map { .unsigned(min($0, countMax)) } ?? .null
    }

    private static func name(_ value: JSONValue?) -> String? {
        guard let text = value?.stringValue, text.utf8.count <= nameBytesMax else { return nil }
        return text
    }

    private static func tokens(_ value: JSONValue?) -> ModelUse.Tokens? {
        guard let value, let input = count(value["input"]), let read = count(value["cache_read"]),
            let write = count(value["cache_write"]), let output = count(value["output"])
        else { return nil }
        return ModelUse.Tokens(input: input, cacheRead: read, cacheWrite: write, output: output)
    }

    private static func count(_ value: JSONValue?) -> UInt64? {
        value?.unsignedValue.flatMap { $0 <= countMax ? $0 : nil }
    }

    /// The inner nil is null.
    private static func money(_ value: JSONValue?) -> UInt64?? {
        if case .null = value { return .some(nil) }
        return count(value).map { .some($0) }
    }
}
