import Domain
import Journal
import Redaction
import Workspace

/// The records of what a run did to the workspace. Names are redacted like every other text.
extension RunRecords {
    /// Entries of a listing that a record carries; the whole listing lies beside the journal, under its digest.
    private static var entriesMax: Int { 1000 }

    func changes(_ report: GateReport) -> Record {
        let counts = report.changeSet.counts
        return Record(
            .changesRecorded,
            [
                "digest": .digest(report.changeSet.digest),
                "created": .integer(Int64(counts.created)),
                "changed": .integer(Int64(counts.changed)),
                "deleted": .integer(Int64(counts.deleted)),
                "verdict": .word(report.verdict),
                "entries": .list(report.changeSet.changes.prefix(Self.entriesMax).map(entry)),
                "findings": .list(report.findings.prefix(Self.entriesMax).map(finding)),
                "conflicts": .list(report.conflicts.prefix(Self.entriesMax).map(conflict)),
            ]
        )
    }

    /// A listing that was not judged yet; the gate does it when somebody looks.
    func changes(_ set: ChangeSet) -> Record {
        Record(
            .changesRecorded,
            [
                "digest": .digest(set.digest), "created": .integer(Int64(set.counts.created)),
                "changed": .integer(Int64(set.counts.changed)), "deleted": .integer(Int64(set.counts.deleted)),
                "verdict": .null, "entries": .list(set.changes.prefix(Self.entriesMax).map(entry)),
            ]
        )
    }

    func applying(_ set: ChangeSet) -> Record { Record(.applyStarted, ["digest": .digest(set.digest)]) }

    func applied(_ set: ChangeSet, _ outcome: Apply.Outcome) -> Record {
        Record(
            .changesApplied,
            ["digest": .digest(set.digest), "operations": .unsigned(UInt64(outcome.operations))]
        )
    }

    func rolledBack(_ error: WorkspaceError) -> Record {
        Record(.applyRolledBack, ["error": .text(redactor.redact(error.message))])
    }

    func discarded(_ set: ChangeSet) -> Record { Record(.changesDiscarded, ["digest": .digest(set.digest)]) }

    /// Changes that could not be looked at any more: their stored form was damaged.
    func discardedUnread(_ digest: Digest) -> Record {
        Record(.changesDiscarded, ["digest": .digest(digest), "damaged": .flag(true)])
    }

    func completed(_ state: ChangeState) -> Record { Record(.runCompleted, ["changes": .word(state)]) }

    /// What the next start found of an interrupted apply.
    func recovered(_ recovery: Apply.Recovery, _ digest: Digest) -> [Record] {
        switch recovery {
        case .nothing: []
        case .applied, .finished:
            [
                Record(.changesApplied, ["digest": .digest(digest), "recovered": .flag(true)]),
                completed(.applied),
            ]
        case .rolledBack(let reason, let left):
            [
                Record(
                    .applyRolledBack,
                    [
                        "error": .text(redactor.redact(reason)),
                        "left": .list(left.map { .text(redactor.redact($0.description)) }),
                    ]
                )
            ]
        }
    }

    private func entry(_ change: Change) -> RecordValue {
        .object([
            ("path", .text(redactor.redact(change.path.description))), ("kind", .word(change.kind)),
            ("file", .word(change.file)), ("size", .unsigned(change.size)),
            ("sha256", change.digest.map { .digest($0) } ?? .null),
        ])
    }

    private func finding(_ finding: GateFinding) -> RecordValue {
        .object([
            ("path", .text(redactor.redact(finding.path.description))), ("rule", .rule(finding.rule)),
            ("level", .word(finding.level)),
        ])
    }

    private func conflict(_ conflict: Conflict) -> RecordValue {
        .object([("path", .text(redactor.redact(conflict.path.description))), ("cause", .word(conflict.cause))])
    }
}
