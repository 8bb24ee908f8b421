import Domain
import Journal
import Redaction
import Workspace

/// The records of a run that worked on the project directly.
extension RunRecords {
    /// Findings that a record carries.
    private static var findingsMax: Int { 1000 }

    /// A new run's record with what guards the project, where no gate will.
    func created(_ record: Record, guardedBy live: LiveSummary?) -> Record {
        guard let live else { return record }
        let guards: RecordValue = .object([
            ("read_only", .unsigned(UInt64(live.sealed))), ("git_directories", .unsigned(UInt64(live.gitDirectories))),
            ("covered", .unsigned(UInt64(live.count(.covered)))), ("pinned", .unsigned(UInt64(live.count(.pinned)))),
        ])
        return Record(record.type, fields: record.fields + [("guards", guards)])
    }

    /// What the look afterwards found, and the run's end: what changed is in the project.
    func looked(_ report: LiveReport) -> [Record] { [looked(report), completed(report.changeState)] }

    func looked(_ report: LiveReport) -> Record {
        Record(
            .liveChangesChecked,
            [
                "created": .integer(Int64(report.counts.created)),
                "changed": .integer(Int64(report.counts.changed)),
                "deleted": .integer(Int64(report.counts.deleted)),
                "complete": .flag(report.incomplete == nil),
                "findings": .list(
                    report.findings.prefix(Self.findingsMax).map { finding in
                        .object([
                            ("path", .text(redactor.redact(finding.path.description))), ("rule", .rule(finding.rule)),
                            ("level", .word(finding.level)),
                        ])
                    }
                ),
            ]
        )
    }
}

extension LiveReport {
    var changeState: ChangeState { hasChanges ? .applied : .none }
}
