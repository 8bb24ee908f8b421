import Domain
import Workspace

/// A change set in words.
struct ChangeListing {
    /// Lines of a listing that goes unasked to a terminal.
    private static let remarkLinesMax = 40

    let console: Console

    func remark(_ report: GateReport) {
        let all = lines(report)
        all.prefix(Self.remarkLinesMax).forEach(console.remark)
        if all.count > Self.remarkLinesMax {
            console.remark("… and \(all.count - Self.remarkLinesMax) more: bailey changes show \(report.changeSet.run)")
        }
    }

    /// One line per change, the gate's words, the conflicts.
    func lines(_ report: GateReport) -> [String] {
        report.changeSet.changes.map(line)
            + report.findings.map { "\($0.level.rawValue.padded(9))\($0.path): \($0.reason) [\($0.rule)]" }
            + report.conflicts.map { "conflict \($0.path): \($0.cause.rawValue)" }
    }

    private func line(_ change: Change) -> String {
        var text = change.kind.rawValue.padded(9) + Self.name(change)
        switch change.file {
        case .directory: text += "/"
        case .symlink: text += " -> " + Printable.text(change.linkTarget ?? [])
        case .file:
            if change.kind != .deleted { text += "  \(change.size) bytes" + (change.isText == false ? ", binary" : "") }
        default: text += "  (\(change.file.rawValue))"
        }
        if let mode = change.mode, let previous = change.previousMode, mode != previous {
            text += "  mode \(String(previous, radix: 8)) -> \(String(mode, radix: 8))"
        }
        return text
    }

    static func name(_ change: Change) -> String {
        change.path.description + (change.tree > 0 ? " (git directory \(change.tree))" : "")
    }

    func json(_ report: GateReport, state: String) -> JSONValue {
        .object([
            ("run", .string(report.changeSet.run.rawValue)),
            ("state", .string(state)),
            ("digest", .string(report.changeSet.digest.hex)),
            ("verdict", .string(report.verdict.rawValue)),
            ("changes", .array(report.changeSet.changes.map(Self.json))),
            (
                "findings",
                .array(
                    report.findings.map { finding in
                        .object([
                            ("path", .string(finding.path.description)), ("rule", .string(finding.rule.rawValue)),
                            ("level", .string(finding.level.rawValue)), ("reason", .string(finding.reason)),
                        ])
                    }
                )
            ),
            (
                "conflicts",
                .array(
                    report.conflicts.map { conflict in
                        .object([
                            ("path", .string(conflict.path.description)), ("cause", .string(conflict.cause.rawValue)),
                        ])
                    }
                )
            ),
        ])
    }

    private static func json(_ change: Change) -> JSONValue {
        .object([
            ("path", .string(change.path.description)), ("tree", .integer(Int64(change.tree))),
            ("kind", .string(change.kind.rawValue)), ("file", .string(change.file.rawValue)),
            ("size", .unsigned(change.size)),
            ("mode", change.mode.map { .string(String($0, radix: 8)) } ?? .null),
            ("link_target", change.linkTarget.map { .string(Printable.text($0)) } ?? .null),
            ("text", change.isText.map { .bool($0) } ?? .null),
            ("sha256", change.digest.map { .string($0.hex) } ?? .null),
        ])
    }
}
