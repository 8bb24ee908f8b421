package import Authority
package import Domain
import Files

/// Throws away what a command did. The listing stays, for the record.
package struct Discard {
    private let runDirectory: String

    package init(runDirectory: String) { self.runDirectory = runDirectory }

    /// Removes the layers of a run whose changes somebody decided to throw away.
    package func perform(
        _ set: ChangeSet,
        grant: consuming Grant,
        time: any TimeSource
    ) throws(WorkspaceError) {
        try perform(digest: set.digest, of: set.run, grant: grant, time: time)
    }

    /// As above, for a set whose listing cannot be read any more; the journal knows its digest.
    package func perform(
        digest: Digest,
        of run: RunID,
        grant: consuming Grant,
        time: any TimeSource
    ) throws(WorkspaceError) {
        let action: Action
        do {
            action = try grant.redeem(at: time)
        } catch {
            throw WorkspaceError(.wrongGrant, "discard the changes: \(error.message)", hint: error.hint)
        }
        guard action.kind == .discardChanges(digest), action.run == run else {
            throw WorkspaceError(.wrongGrant, "discard the changes: the permission is for another change set")
        }
        try removeLayers()
    }

    /// Ends a discard that was decided and recorded, and then interrupted.
    package func finish() throws(WorkspaceError) { try removeLayers() }

    /// Removes the layers of a run that changed nothing: there is nothing to decide.
    package func performUnchanged(_ set: ChangeSet) throws(WorkspaceError) {
        guard set.isEmpty else {
            throw WorkspaceError(
                .wrongGrant,
                "discard the changes: the run changed something, so that somebody must decide"
            )
        }
        try removeLayers()
    }

    private func removeLayers() throws(WorkspaceError) {
        try WorkspaceError.attempt("discard the changes") {
            let run = try Directory(trustedPath: runDirectory)
            guard let workspace = try run.directoryIfPresent(at: [WorkspaceFiles.directory]) else { return }
            if try workspace.statusIfPresent(WorkspaceFiles.intent) != nil {
                throw WorkspaceError(
                    .busy,
                    "discard the changes: an interrupted apply is not finished or taken back yet",
                    hint: "It is when bailey starts next in this project; discard then."
                )
            }
            for entry in try workspace.entries() where entry.name != WorkspaceFiles.changes {
                try workspace.removeTree(entry.name)
            }
        }
    }
}
