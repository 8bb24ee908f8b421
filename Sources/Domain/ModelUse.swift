/// What a run used of models, by provider and model, and what was refused to it.
package struct ModelUse: Sendable, Equatable {
    /// Tokens of one or many requests. Input that a provider had kept is counted in `cacheRead`, not in `input`.
    package struct Tokens: Sendable, Hashable {
        package var input: UInt64 = 0
        package var cacheRead: UInt64 = 0
        /// Written to the provider's cache, for however long.
        package var cacheWrite: UInt64 = 0
        package var output: UInt64 = 0

        package init() {}

        package init(input: UInt64, cacheRead: UInt64 = 0, cacheWrite: UInt64 = 0, output: UInt64) {
            self.input = input
            self.cacheRead = cacheRead
            self.cacheWrite = cacheWrite
            self.output = output
        }

        /// All of them; counts too large to be added are the largest number.
        package var sum: UInt64 {
            [cacheRead, cacheWrite, output].reduce(input) { $0.saturatingAdd($1) }
        }

        package static func += (left: inout Tokens, right: Tokens) {
            left.input = left.input.saturatingAdd(right.input)
            left.cacheRead = left.cacheRead.saturatingAdd(right.cacheRead)
            left.cacheWrite = left.cacheWrite.saturatingAdd(right.cacheWrite)
            left.output = left.output.saturatingAdd(right.output)
        }
    }

    /// What was used of one model.
    package struct Line: Sendable, Hashable {
        /// The provider's name in the configuration.
        package let provider: String
        /// As requests name it; it leaves memory only through a redactor.
        package let model: String
        /// Requests that were sent and billed.
        package var requests: UInt64 = 0
        package var tokens = Tokens()
        /// Millionths of a dollar; what has no known price is not in it.
        package var microdollars: UInt64 = 0
        /// Billed requests of which no price is known.
        package var unpriced: UInt64 = 0
        /// Billed requests whose answers did not say what they used: their tokens are estimated from above.
        package var estimated: UInt64 = 0
        /// Requests that were refused before anything was sent: by the list of models or the budget.
        package var refused: UInt64 = 0

        package init(provider: String, model: String) {
            self.provider = provider
            self.model = model
        }
    }

    /// Models that are told apart; the rest is summed under ``othersName``.
    package static let linesMax = 100
    /// Of them, those of which requests were refused and none was billed: a command makes up as many as it likes.
    package static let refusedLinesMax = 20
    package static let othersName = "other models"

    /// In the order of the first request of each.
    package private(set) var lines: [Line] = []
    /// What the run might have used at most; nil without a limit.
    package var tokensMax: UInt64?
    package var microdollarsMax: UInt64?

    package init() {}

    package var isEmpty: Bool { lines.isEmpty }

    /// Everything together.
    package var sum: Line {
        lines.reduce(into: Line(provider: "", model: "")) { sum, line in
            sum.requests = sum.requests.saturatingAdd(line.requests)
            sum.tokens += line.tokens
            sum.microdollars = sum.microdollars.saturatingAdd(line.microdollars)
            sum.unpriced = sum.unpriced.saturatingAdd(line.unpriced)
            sum.estimated = sum.estimated.saturatingAdd(line.estimated)
            sum.refused = sum.refused.saturatingAdd(line.refused)
        }
    }

    /// Adds a request that was billed.
    package mutating func add(
        provider: String,
        model: String,
        tokens: Tokens,
        microdollars: UInt64?,
        isEstimated: Bool
    ) {
        change(provider: provider, model: model) { line in
            line.requests += 1
            line.tokens += tokens
            line.microdollars = line.microdollars.saturatingAdd(microdollars ?? 0)
            line.unpriced += microdollars == nil ? 1 : 0
            line.estimated += isEstimated ? 1 : 0
        }
    }

    /// Adds requests that were refused.
    package mutating func addRefusal(provider: String, model: String, count: UInt64 = 1) {
        let hasRoom = lines.count { $0.requests == 0 } < Self.refusedLinesMax
        change(provider: provider, model: model, hasRoom: hasRoom) { $0.refused = $0.refused.saturatingAdd(count) }
    }

    private mutating func change(
        provider: String,
        model: String,
        hasRoom: Bool = true,
        _ body: (inout Line) -> Void
    ) {
        func place(_ provider: String, _ model: String) -> Int? {
            lines.firstIndex { $0.provider == provider && $0.model == model }
        }
        if let place = place(provider, model) { return body(&lines[place]) }
        let others = place("", Self.othersName)
        if hasRoom, lines.count - (others == nil ? 0 : 1) < Self.linesMax {
            lines.append(Line(provider: provider, model: model))
            body(&lines[lines.count - 1])
        } else if let others {
            body(&lines[others])
        } else {
            lines.append(Line(provider: "", model: Self.othersName))
            body(&lines[lines.count - 1])
        }
    }
}

extension UInt64 {
    /// The sum, or the largest number.
    package func saturatingAdd(_ other: UInt64) -> UInt64 {
        let (sum, overflows) = addingReportingOverflow(other)
        return overflows ? .max : sum
    }
}
