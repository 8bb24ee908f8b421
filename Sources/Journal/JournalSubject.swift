package import Domain

/// Whose journal it is: the `run` field of every line.
package enum JournalSubject: Sendable, Hashable {
    case run(RunID)
    /// Events that belong to no run.
    case authority

    package var name: String {
        switch self {
        case .run(let run): run.rawValue
        case .authority: "authority"
        }
    }

    /// The directory that holds the journal: in the run's directory, or in `.bailey`.
    package var directoryName: String {
        switch self {
        case .run: "journal"
        case .authority: "authority"
        }
    }

    /// What the first line names as the line before it. It holds the run, so that a journal cannot pass for another's.
    package var genesis: Digest { Hashing.sha256(Array("bailey-genesis-v1:".utf8) + name.utf8) }

    /// Whether an event of this type is the last that the journal takes.
    func isEnded(by type: RecordType) -> Bool { type.isTerminal && self != .authority }
}
