package import Domain
import Files

extension WorkspacePlan {
    /// Lists what the command did. Call it when every possible writer is dead.
    package func listChanges(limits: ResourceLimits) throws(WorkspaceError) -> ChangeSet {
        guard mode != .direct else {
            throw WorkspaceError(.refused, "list the changes of the run: it worked on the project directly")
        }
        return try WorkspaceError.attempt("list the changes of the run") { try ChangeWalk.list(self, limits: limits) }
    }

    /// Refuses a change set that is not this plan's: one stored form belongs to another run, or is damaged.
    func check(_ set: ChangeSet) throws(WorkspaceError) {
        let numbers =
            set.changes.lazy.map(\.tree) + set.replacedDirectories.map(\.tree) + set.excesses.map(\.place.tree)
        guard set.run == run, numbers.allSatisfy(trees.indices.contains) else {
            throw WorkspaceError(
                .damaged,
                "look at the changes of run \(run): they are not those of its workspace",
                hint: "Discard them; the files of the project are untouched."
            )
        }
    }

    /// Keeps a change set in the run's directory, 0600, durable, with the plan that it needs.
    package static func storeChanges(_ set: ChangeSet, in stored: StoredRun) throws(WorkspaceError) {
        try WorkspaceError.attempt("keep the changes of the run") {
            let workspace = try Directory(trustedPath: stored.runDirectory).directory(WorkspaceFiles.directory)
            if !set.isEmpty { try synchronizeStored(in: workspace) }
            try FileContent.replace(WorkspaceFiles.changes, in: workspace, with: set.encoded(in: stored))
        }
    }

    /// The change set that was kept; nil if there is none.
    package static func loadChanges(_ stored: StoredRun) throws(WorkspaceError) -> ChangeSet? {
        try WorkspaceError.attempt("read the changes of the run") {
            let run = try Directory(trustedPath: stored.runDirectory)
            let path = WorkspaceFiles.directory + Array("/".utf8) + WorkspaceFiles.changes
            guard try run.statusIfPresent(path) != nil else { return nil }
            guard let bytes = try WorkspaceFiles.read(path, in: run), let set = ChangeSet(encoded: bytes, in: stored)
            else { throw stored.damaged("read the changes of the run") }
            return set
        }
    }
}
