import BrokerLink
import Domain
import Journal
import Redaction

/// The records of what a run used of models.
extension RunRecords {
    /// Nil for what is only counted.
    func model(_ report: ModelReport) -> Record? {
        switch report {
        case .requested(let request):
            Record(
                .modelRequested,
                [
                    "request": .unsigned(request.number), "provider": .text(redactor.redact(request.provider)),
                    "model": .text(redactor.redact(request.model)), "reserved": tokens(request.tokens),
                    "reserved_microdollars": money(request.microdollars),
                    "extras": .list(request.extras.map { .text(redactor.redact($0)) }),
                ]
            )
        case .settled(let settled):
            Record(
                .modelSettled,
                [
                    "request": .unsigned(settled.number), "tokens": tokens(settled.tokens),
                    "microdollars": money(settled.microdollars), "basis": .word(settled.basis),
                ]
            )
        case .refused: nil
        }
    }

    func modelsEnded(_ use: ModelUse) -> Record {
        let sum = use.sum
        return Record(
            .modelsEnded,
            [
                "tokens_max": use.tokensMax.map { .unsigned($0) } ?? .null,
                "microdollars_max": use.microdollarsMax.map { .unsigned($0) } ?? .null,
                "requests": .unsigned(sum.requests), "tokens": tokens(sum.tokens),
                "microdollars": .unsigned(sum.microdollars), "estimated": .unsigned(sum.estimated),
                "unpriced": .unsigned(sum.unpriced), "refused": .unsigned(sum.refused),
                "models": .list(use.lines.map { .object(line($0)) }),
            ]
        )
    }

    private func line(_ line: ModelUse.Line) -> [(StaticString, RecordValue)] {
        [
            ("provider", .text(redactor.redact(line.provider))), ("model", .text(redactor.redact(line.model))),
            ("requests", .unsigned(line.requests)), ("tokens", tokens(line.tokens)),
            ("microdollars", .unsigned(line.microdollars)), ("estimated", .unsigned(line.estimated)),
            ("unpriced", .unsigned(line.unpriced)), ("refused", .unsigned(line.refused)),
        ]
    }

    private func tokens(_ tokens: ModelUse.Tokens) -> RecordValue {
        .object([
            ("input", .unsigned(tokens.input)), ("cache_read", .unsigned(tokens.cacheRead)),
            ("cache_write", .unsigned(tokens.cacheWrite)), ("output", .unsigned(tokens.output)),
        ])
    }

    private func money(_ microdollars: UInt64?) -> RecordValue { microdollars.map { .unsigned($0) } ?? .null }
}
