import BrokerLink
import Domain
import Journal

/// What a run's journal says of its use of models, whether the run came to its end or not.
struct RunModels {
    private var sums = ModelUse()
    private var open: [UInt64: ModelReport.Requested] = [:]
    private var isUsed = false

    init(lines: [JournalLine]) {
        for line in lines { take(line) }
    }

    /// Requests of which no end was recorded: their Bailey was killed.
    var unsettled: [ModelReport.Requested] { open.values.sorted { $0.number < $1.number } }

    /// Nil for a run that had no provider of models. What was never settled is counted as what was set aside for it.
    var use: ModelUse? {
        guard isUsed else { return nil }
        var use = sums
        for request in unsettled {
            use.add(
                provider: request.provider,
                model: request.model,
                tokens: request.tokens,
                microdollars: request.microdollars,
                isEstimated: true
            )
        }
        return use
    }

    private mutating func take(_ line: JournalLine) {
        let data = line.data
        switch RecordType(rawValue: line.type) {
        case .modelRequested:
            isUsed = true
            guard let number = data["request"]?.unsignedValue else { return }
            open[number] = ModelReport.Requested(
                number: number,
                provider: data["provider"]?.stringValue ?? "",
                model: data["model"]?.stringValue ?? "",
                tokens: Self.tokens(data["reserved"]),
                microdollars: data["reserved_microdollars"]?.unsignedValue
            )
        case .modelSettled:
            guard let number = data["request"]?.unsignedValue, let request = open.removeValue(forKey: number),
                data["basis"]?.stringValue != "free"
            else { return }
            sums.add(
                provider: request.provider,
                model: request.model,
                tokens: Self.tokens(data["tokens"]),
                microdollars: data["microdollars"]?.unsignedValue,
                isEstimated: data["basis"]?.stringValue == "estimated"
            )
        case .modelsEnded:
            isUsed = true
            sums.tokensMax = data["tokens_max"]?.unsignedValue
            sums.microdollarsMax = data["microdollars_max"]?.unsignedValue
            for line in data["models"]?.arrayValue ?? [] {
                guard let count = line["refused"]?.unsignedValue, count > 0 else { continue }
                sums.addRefusal(
                    provider: line["provider"]?.stringValue ?? "",
                    model: line["model"]?.stringValue ?? "",
                    count: count
                )
            }
        default: break
        }
    }

    private static func tokens(_ value: JSONValue?) -> ModelUse.Tokens {
        func count(_ name: String) -> UInt64 { value?[name]?.unsignedValue ?? 0 }
        return ModelUse.Tokens(
            input: count("input"),
            cacheRead: count("cache_read"),
            cacheWrite: count("cache_write"),
            output: count("output")
        )
    }
}

extension ModelUse {
    /// For programs.
    var json: JSONValue {
        .object(
            Self.members(sum) + [
                ("tokens_max", tokensMax.map { .unsigned($0) } ?? .null),
                ("microdollars_max", microdollarsMax.map { .unsigned($0) } ?? .null),
                (
                    "models",
                    .array(
                        lines.map { line in
                            .object(
                                [("provider", .string(line.provider)), ("model", .string(line.model))]
                                    + Self.members(line)
                            )
                        }
                    )
                ),
            ]
        )
    }

    private static func members(_ line: Line) -> [(String, JSONValue)] {
        [
            ("requests", .unsigned(line.requests)), ("input_tokens", .unsigned(line.tokens.input)),
            ("cache_read_tokens", .unsigned(line.tokens.cacheRead)),
            ("cache_write_tokens", .unsigned(line.tokens.cacheWrite)),
            ("output_tokens", .unsigned(line.tokens.output)), ("microdollars", .unsigned(line.microdollars)),
            ("estimated", .unsigned(line.estimated)), ("unpriced", .unsigned(line.unpriced)),
            ("refused", .unsigned(line.refused)),
        ]
    }
}
