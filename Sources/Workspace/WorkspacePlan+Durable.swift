import Domain
import Files
import Glibc

/// Making durable what a run left, in time: before somebody is told that it is there.
extension WorkspacePlan {
    /// Sees to it that the stored plan outlives a power cut: without it nothing that the command did can be applied,
    /// and a half-done apply could be neither finished nor taken back.
    static func synchronizeStored(in workspace: borrowing Directory) throws(SystemError) {
        for entry in try workspace.entries() where entry.kind == .file && entry.name != WorkspaceFiles.changes {
            try workspace.open(entry.name, flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK).synchronize()
        }
    }

    /// Sees to it that changes that are held outlive a power cut: the overlay itself never waits for the disk.
    package func synchronizeChanges(_ set: ChangeSet) throws(WorkspaceError) {
        try WorkspaceError.attempt("keep the changes of the run") {
            try check(set)
            let changed = try trees.map { try ChangedTree($0.tree) }
            // The writing of all files begins before the first is waited for.
            for wait in [false, true] {
                for change in set.changes where change.file == .file && change.digest != nil {
                    let file = try changed[change.tree].open(change.path)
                    if wait { try file.synchronize() } else { file.startWriting() }
                }
            }
            var seen: Set<ChangeSet.Place> = []
            for change in set.changes {
                // A directory that only holds something changed was made in the layer too.
                var path = change.path
                while !path.isRoot {
                    path = path.parent
                    guard seen.insert(ChangeSet.Place(tree: change.tree, path: path)).inserted else { break }
                    try changed[change.tree].synchronizeNames(in: path)
                }
            }
        }
    }
}
