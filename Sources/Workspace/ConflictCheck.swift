import Domain
import Files

/// Compares the trees as they are now with what the command started from: what was changed outside meanwhile is never
/// overwritten, what was hidden is never touched.
struct ConflictCheck {
    enum Answer {
        /// May be applied; `base` is what lies there now, nil for nothing.
        case ready(base: FileStatus?)
        /// The tree has it already.
        case done
        case conflict(Conflict.Cause)
    }

    private struct Masks {
        let hidden: Set<RelativePath>
        /// Every directory above something hidden.
        let above: Set<RelativePath>

        init(_ paths: [RelativePath]) {
            hidden = Set(paths)
            var above: Set<RelativePath> = []
            for path in paths {
                var next = path
                while !next.isRoot {
                    next = next.parent
                    if !above.insert(next).inserted { break }
                }
            }
            self.above = above
        }

        func covers(_ path: RelativePath) -> Bool {
            var next = path
            while !next.isRoot {
                if hidden.contains(next) { return true }
                next = next.parent
            }
            return false
        }
    }

    private let plan: WorkspacePlan
    private let trees: [OpenTree]
    private let masks: [Masks]
    private let newDirectories: Set<ChangeSet.Place>
    private let deleted: Set<ChangeSet.Place>
    private let set: ChangeSet

    init(_ plan: WorkspacePlan, _ set: ChangeSet, _ trees: [OpenTree]) {
        self.plan = plan
        self.set = set
        self.trees = trees
        // Nothing is looked up in them for a set without entries, and a project may have thousands of hidden files.
        let isEmpty = set.changes.isEmpty && set.replacedDirectories.isEmpty
        masks = isEmpty ? [] : plan.trees.map { Masks($0.index.hidden + $0.index.mountPoints) }
        var newDirectories: Set<ChangeSet.Place> = []
        var deleted: Set<ChangeSet.Place> = []
        for change in set.changes {
            let place = ChangeSet.Place(tree: change.tree, path: change.path)
            if change.kind == .deleted {
                deleted.insert(place)
            } else if change.file == .directory, change.kind != .mode {
                newDirectories.insert(place)
            }
        }
        self.newDirectories = newDirectories
        self.deleted = deleted
    }

    func conflicts() throws -> [Conflict] { try judgeAll().conflicts }

    /// An answer for every change, in order, and all that stands against the set.
    func judgeAll() throws -> (answers: [Answer], conflicts: [Conflict]) {
        var answers: [Answer] = []
        var conflicts: [Conflict] = []
        for change in set.changes {
            let answer = try judge(change)
            answers.append(answer)
            if case .conflict(let cause) = answer {
                conflicts.append(Conflict(tree: change.tree, path: change.path, cause: cause))
            }
            if mayHideEntries(answer) { conflicts += try appearedBelow(change) }
        }
        for place in set.replacedDirectories where masks[place.tree].above.contains(place.path) {
            conflicts.append(Conflict(tree: place.tree, path: place.path, cause: .maskedPath))
        }
        return (answers, conflicts)
    }

    private func judge(_ change: Change) throws -> Answer {
        let tree = trees[change.tree]
        if isMasked(change) { return .conflict(.maskedPath) }
        switch try tree.state(change.path) {
        case .noParent:
            if change.kind == .deleted { return .done }
            return isBelowNew(change) && change.kind == .created ? .ready(base: nil) : .conflict(.vanishedOutside)
        case .blocked:
            if change.kind == .deleted { return .conflict(.changedOutside) }
            return isBelowNew(change) && change.kind == .created ? .ready(base: nil) : .conflict(.changedOutside)
        case .absent(let parent):
            if change.kind == .deleted { return .done }
            if isMoved(change.path.parent, tree, parent) { return .conflict(.changedOutside) }
            let wasThere = tree.source.index.existed(change.path)
            return change.kind == .created && !wasThere ? .ready(base: nil) : .conflict(.vanishedOutside)
        case .present(let status, let parent):
            if isMoved(change.path.parent, tree, parent) { return .conflict(.changedOutside) }
            guard let cause = cause(change, status, tree) else { return .ready(base: status) }
            return try tree.isAlready(change, status) ? .done : .conflict(cause)
        }
    }

    private func isMasked(_ change: Change) -> Bool {
        let masks = masks[change.tree]
        if masks.covers(change.path) { return true }
        let removesDirectory = change.kind == .deleted || (change.kind == .changed && change.file != .directory)
        return removesDirectory && masks.above.contains(change.path)
    }

    private func isBelowNew(_ change: Change) -> Bool {
        var next = change.path.parent
        while !next.isRoot {
            if newDirectories.contains(ChangeSet.Place(tree: change.tree, path: next)) { return true }
            next = next.parent
        }
        return false
    }

    /// A directory of the start that is another one now: what lies in it may be old and yet not what the command saw.
    private func isMoved(_ path: RelativePath, _ tree: OpenTree, _ status: FileStatus) -> Bool {
        tree.source.index.record(path).map { $0.inode != status.inode } ?? false
    }

    /// Why what lies there now is not what the command started from; nil if it is.
    private func cause(_ change: Change, _ status: FileStatus, _ tree: OpenTree) -> Conflict.Cause? {
        if change.kind == .created { return .appearedOutside }
        guard tree.source.index.existed(change.path) else { return .appearedOutside }
        if status.kind == .directory {
            guard let record = tree.source.index.record(change.path) else { return .appearedOutside }
            return record.inode == status.inode && record.mode == status.mode ? nil : .changedOutside
        }
        if let manifest = tree.source.manifest {
            // What was not copied, such as a socket, the command could not see.
            guard let entry = manifest[change.path] else { return .maskedPath }
            return entry.lowerInode == status.inode && entry.lowerChanged == status.changed ? nil : .changedOutside
        }
        return status.changed < plan.baseTime ? nil : .changedOutside
    }

    /// Whether there can be a directory where a change lies, with entries that the command did not see.
    private func mayHideEntries(_ answer: Answer) -> Bool {
        switch answer {
        case .ready(let base): base?.kind == .directory
        case .done: false
        case .conflict: true
        }
    }

    /// Entries that were made outside in a directory that the command removed.
    private func appearedBelow(_ change: Change) throws -> [Conflict] {
        let removesDirectory =
            (change.kind == .deleted && change.file == .directory)
            || (change.kind == .changed && change.file != .directory)
        guard removesDirectory, !isMasked(change) else { return [] }
        let tree = trees[change.tree]
        guard let directory = try tree.lower.directoryIfPresent(at: change.path.components) else { return [] }
        return try directory.entries().compactMap { entry in
            guard let path = change.path.appending(entry.name) else { return nil }
            let isListed = deleted.contains(ChangeSet.Place(tree: change.tree, path: path))
            return isListed ? nil : Conflict(tree: change.tree, path: path, cause: .appearedOutside)
        }
    }
}
