import Domain

/// What a run used of models in words for a person and for logs, as it is told at its end and later.
struct ModelLines {
    /// Models that have a line of their own.
    private static let linesMax = 5

    let use: ModelUse
    /// Makes a model's name fit for a terminal and for a log: it is the command's choice.
    let shown: (String) -> String

    /// One line for each model, and one for all where there are several, each with `Tokens:`.
    var lines: [String] {
        guard let only = use.lines.first else { return [] }
        guard use.lines.count > 1 else { return [line(name(only), only, limits: limits)] }
        let ranked = use.lines.sorted { ($0.microdollars, $0.tokens.sum) > ($1.microdollars, $1.tokens.sum) }
        let rest = ranked.count - Self.linesMax
        return ranked.prefix(Self.linesMax).map { line(name($0), $0, limits: "") }
            + [line("in all" + (rest > 0 ? ", with \(rest) more models" : ""), use.sum, limits: limits)]
    }

    private func name(_ line: ModelUse.Line) -> String {
        let model = shown(line.model)
        return line.provider.isEmpty ? model : shown(line.provider) + "/" + model
    }

    private func line(_ name: String, _ line: ModelUse.Line, limits: String) -> String {
        let tokens = line.tokens
        var input = "\(Quantity.count(tokens.input)) in"
        if tokens.cacheRead > 0 { input += " (\(Quantity.count(tokens.cacheRead)) more from a cache)" }
        if tokens.cacheWrite > 0 { input += " and \(Quantity.count(tokens.cacheWrite)) kept in a cache" }
        var parts = [
            input, "\(Quantity.count(tokens.output)) out", Quantity.things(line.requests, "request", "requests"),
        ]
        if line.unpriced < line.requests { parts.append(MoneyText.dollars(line.microdollars)) }
        if line.unpriced > 0 { parts.append("\(Quantity.count(line.unpriced)) of them at no known price") }
        if line.estimated > 0 { parts.append("\(Quantity.count(line.estimated)) estimated") }
        if line.refused > 0 { parts.append("\(Quantity.count(line.refused)) refused") }
        return "Tokens: \(name): " + parts.joined(separator: ", ") + limits
    }

    private var limits: String {
        let tokens = use.tokensMax.map { "\(Quantity.count($0)) tokens" }
        let money = use.microdollarsMax.map { MoneyText.dollars($0) }
        let texts = [tokens, money].compactMap(\.self)
        return texts.isEmpty ? "" : "; limit " + texts.joined(separator: ", ")
    }
}
