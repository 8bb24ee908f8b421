import Domain
import Files
import Glibc

/// Performs operations one by one, and takes them back.
struct ApplyRun {
    private let context: ApplyContext
    private let operations: [ApplyOperation]

    /// Whether another process staged what is to be placed.
    private let isRecovery: Bool

    init(_ context: ApplyContext, _ operations: [ApplyOperation], isRecovery: Bool = false) {
        self.isRecovery = isRecovery
        self.context = context
        self.operations = operations
    }

    /// Performs all operations in order, in a recovery those that are not performed yet. Throws at the first that
    /// cannot be; those before it stay performed.
    func perform() throws {
        var isDurable = false
        for number in operations.indices {
            if isRecovery, try isPerformed(number) { continue }
            // Those that shut a directory come last, and what lies in it cannot be reached after.
            if !isDurable, shuts(operations[number]) {
                try synchronize()
                isDurable = true
            }
            try perform(number)
            context.checkpoint("operation performed")
        }
    }

    /// Tells from the files alone whether an operation was performed.
    func isPerformed(_ number: Int) throws -> Bool {
        let operation = operations[number]
        let area = context.staging[operation.tree]
        let name = StagingArea.name(number)
        try finishRename(operation, area, name)
        switch operation.kind {
        case .remove:
            return try area.old.statusIfPresent(name) != nil
        case .place:
            return try area.new.statusIfPresent(name) == nil
        case .exchange:
            return try area.new.statusIfPresent(name)?.inode != operation.staged?.inode
        case .mode:
            guard let status = try currentUnlessShut(number) else { return try isShut(number) }
            return status.inode == operation.base?.inode && status.mode == operation.newMode
        }
    }

    /// Where the file system has no rename that fails if something is there, one takes two steps. If it was cut short
    /// between them, the file has both names: the second step is done now.
    private func finishRename(_ operation: ApplyOperation, _ area: StagingArea, _ staged: [UInt8]) throws {
        guard operation.kind == .place || operation.kind == .remove, let name = operation.path.name,
            let status = try currentOrShut(operation), status.kind != .directory
        else { return }
        let waiting =
            operation.kind == .place ? try area.new.statusIfPresent(staged) : try area.old.statusIfPresent(staged)
        guard let waiting, waiting.inode == status.inode, waiting.device == status.device else { return }
        if operation.kind == .place { return try area.new.removeFile(staged) }
        try parent(operation).removeFile(name)
    }

    private func shuts(_ operation: ApplyOperation) -> Bool {
        operation.kind == .mode && operation.base?.isDirectory == true && operation.newMode & 0o700 != 0o700
    }

    /// True if a directory above was shut by a later operation: this one was performed before that.
    private func isShut(_ number: Int) throws -> Bool {
        let path = operations[number].path
        return try operations.indices[(number + 1)...].contains { later in
            let above = operations[later]
            guard shuts(above), above.tree == operations[number].tree, above.path != path,
                path.isWithin(above.path)
            else { return false }
            return try isPerformed(later)
        }
    }

    /// Nil also where nobody is let in any more.
    private func currentUnlessShut(_ number: Int) throws -> FileStatus? {
        do {
            return try current(operations[number])
        } catch let error as SystemError where error.code == EACCES {
            guard try isShut(number) else { throw error }
            return nil
        }
    }

    private func currentOrShut(_ operation: ApplyOperation) throws -> FileStatus? {
        do {
            return try current(operation)
        } catch let error as SystemError where error.code == EACCES {
            return nil
        }
    }

    private func current(_ operation: ApplyOperation) throws -> FileStatus? {
        let lower = context.trees[operation.tree]
        guard case .present(let status, _) = try lower.state(operation.path) else { return nil }
        return status
    }

    private func parent(_ operation: ApplyOperation) throws -> Directory {
        let lower = context.trees[operation.tree]
        guard let parent = try lower.lower.directoryIfPresent(at: operation.path.parent.components) else {
            throw ApplyStaging.conflict(operation.path, "the directory above it is gone or was replaced meanwhile")
        }
        return parent
    }

    private func perform(_ number: Int) throws {
        let operation = operations[number]
        let area = context.staging[operation.tree]
        let staged = StagingArea.name(number)
        if operation.kind == .mode { return try changeMode(operation) }
        guard let name = operation.path.name else { return }
        let parent = try parent(operation)
        try checkBase(operation, parent.statusIfPresent(name))
        switch operation.kind {
        case .remove:
            try Self.move(name, from: parent, to: area.old, staged, operation)
            guard try isWhatWasThere(operation, area.old, staged) else {
                try parent.renameBack(staged, from: area.old, to: name)
                throw changedMeanwhile(operation)
            }
        case .place:
            try checkStaged(operation, area, staged)
            try Self.move(staged, from: area.new, to: parent, name, operation)
        case .exchange:
            try checkStaged(operation, area, staged)
            try Self.exchange(staged, in: area.new, with: parent, name, operation)
            guard try isWhatWasThere(operation, area.new, staged) else {
                try Self.exchange(staged, in: area.new, with: parent, name, operation)
                throw changedMeanwhile(operation)
            }
        case .mode:
            break
        }
    }

    /// What waits since the process before is what that one verified.
    private func checkStaged(_ operation: ApplyOperation, _ area: StagingArea, _ name: [UInt8]) throws {
        guard isRecovery else { return }
        guard let staged = operation.staged, try staged.isAsStaged(area.new.status(name)) else {
            throw ApplyStaging.conflict(operation.path, "what was to come there was changed in the run's directory")
        }
    }

    private func changedMeanwhile(_ operation: ApplyOperation) -> WorkspaceError {
        ApplyStaging.conflict(operation.path, "it was changed while the changes were being applied")
    }

    private func checkBase(_ operation: ApplyOperation, _ status: FileStatus?) throws {
        switch (operation.base, status) {
        case (nil, nil): return
        case (let base?, let status?) where base.isUntouched(status): return
        case (nil, _?): throw ApplyStaging.conflict(operation.path, "something appeared there meanwhile")
        default: throw changedMeanwhile(operation)
        }
    }

    /// What was moved out of the tree is what was looked at before; a directory is empty.
    private func isWhatWasThere(_ operation: ApplyOperation, _ area: borrowing Directory, _ name: [UInt8]) throws
        -> Bool
    {
        guard let base = operation.base else { return false }
        guard try base.isSameContent(area.status(name)) else { return false }
        return try !base.isDirectory || area.isEmptyDirectory(name)
    }

    private static func move(
        _ name: [UInt8],
        from directory: borrowing Directory,
        to other: borrowing Directory,
        _ newName: [UInt8],
        _ operation: ApplyOperation
    ) throws {
        guard try directory.renameIfAbsent(name, to: other, newName) else {
            throw ApplyStaging.conflict(operation.path, "something appeared there meanwhile")
        }
    }

    private static func exchange(
        _ staged: [UInt8],
        in area: borrowing Directory,
        with parent: borrowing Directory,
        _ name: [UInt8],
        _ operation: ApplyOperation
    ) throws {
        try area.rename(staged, to: parent, name, rule: .exchange)
    }

    private func changeMode(_ operation: ApplyOperation) throws {
        guard let base = operation.base else { return }
        let lower = context.trees[operation.tree].lower.raw
        guard let status = try current(operation), status.inode == base.inode,
            operation.staged != nil || base.isDirectory || base.isUntouched(status)
        else { throw changedMeanwhile(operation) }
        guard let name = operation.path.name else {
            _ = try SystemError.check("chmod", fchmod(lower, operation.newMode))
            return
        }
        try parent(operation).setModeSafely(name, operation.newMode, ifInode: base.inode)
    }

    /// Makes every rename durable.
    func synchronize() throws {
        let batch = SyncBatch()
        var seen: Set<ChangeSet.Place> = []
        for operation in operations {
            let place = ChangeSet.Place(tree: operation.tree, path: operation.path.parent)
            guard seen.insert(place).inserted else { continue }
            try add(place, to: batch)
        }
        for area in context.staging {
            try batch.add(area.new.duplicate())
            try batch.add(area.old.duplicate())
        }
        try batch.synchronize()
    }

    private func add(_ place: ChangeSet.Place, to batch: SyncBatch) throws(SystemError) {
        do {
            let directory = try context.trees[place.tree].lower.directoryIfPresent(at: place.path.components)
            if let directory { try batch.add(directory) }
        } catch  where error.code == EACCES {
            // Shut by us: it was made durable just before.
            guard operations.contains(where: { shuts($0) && $0.tree == place.tree && place.path.isWithin($0.path) })
            else {
                throw error
            }
        }
    }

    /// Takes back what was performed, last first. What the user has changed since stays as it is; its old content is
    /// kept in the run's directory, and the path is returned.
    func undo() throws -> [RelativePath] {
        var left: [RelativePath] = []
        for number in operations.indices.reversed() where try isPerformed(number) {
            if try !undo(number) { left.append(operations[number].path) }
            context.checkpoint("operation undone")
        }
        return left
    }

    private func undo(_ number: Int) throws -> Bool {
        let operation = operations[number]
        let area = context.staging[operation.tree]
        let staged = StagingArea.name(number)
        if operation.kind == .mode { return try undoMode(operation) }
        guard let name = operation.path.name else { return true }
        let parent = try context.trees[operation.tree].lower.directoryIfPresent(at: operation.path.parent.components)
        guard let parent else { return try giveUp(operation, area, staged) }
        switch operation.kind {
        case .remove:
            // Nothing comes back that is not what was there.
            guard try isWhatWasThere(operation, area.old, staged) else { return try giveUp(operation, area, staged) }
            if try area.old.renameIfAbsent(staged, to: parent, name) { return true }
            return try giveUp(operation, area, staged)
        case .place:
            guard try isStillOurs(operation, parent, name) else { return false }
            return try area.new.renameIfAbsentOrMissing(name, from: parent, staged)
        case .exchange:
            guard try isStillOurs(operation, parent, name), try isWhatWasThere(operation, area.new, staged) else {
                return try giveUp(operation, area, staged)
            }
            try area.new.rename(staged, to: parent, name, rule: .exchange)
            return true
        case .mode:
            return true
        }
    }

    private func isStillOurs(
        _ operation: ApplyOperation,
        _ parent: borrowing Directory,
        _ name: [UInt8]
    ) throws -> Bool {
        guard let ours = operation.staged, let status = try parent.statusIfPresent(name), ours.isSameContent(status)
        else {
            return false
        }
        return try !ours.isDirectory || parent.isEmptyDirectory(name)
    }

    /// The user's later file stays; what was there before goes where only a discard removes it.
    private func giveUp(_ operation: ApplyOperation, _ area: StagingArea, _ staged: [UInt8]) throws -> Bool {
        if operation.kind == .remove { try context.keep(staged, from: area.old, for: operation) }
        if operation.kind == .exchange { try context.keep(staged, from: area.new, for: operation) }
        return false
    }

    private func undoMode(_ operation: ApplyOperation) throws -> Bool {
        guard let base = operation.base, let status = try current(operation), status.inode == base.inode else {
            return false
        }
        let lower = context.trees[operation.tree].lower.raw
        guard let name = operation.path.name else {
            _ = try SystemError.check("chmod", fchmod(lower, base.mode))
            return true
        }
        try parent(operation).setModeSafely(name, base.mode, ifInode: base.inode)
        return true
    }
}

extension Directory {
    /// Puts something back where it came from; if another thing is there by now, the error says so.
    fileprivate func renameBack(_ name: [UInt8], from area: borrowing Directory, to original: [UInt8])
        throws(SystemError)
    {
        try area.rename(name, to: self, original, rule: .failIfPresent)
    }

    /// Takes a name of another directory into this one; false if it is not there any more.
    fileprivate func renameIfAbsentOrMissing(
        _ name: [UInt8],
        from other: borrowing Directory,
        _ newName: [UInt8]
    ) throws(SystemError) -> Bool {
        do {
            try other.rename(name, to: self, newName, rule: .failIfPresent)
            return true
        } catch  where error.code == ENOENT {
            return false
        }
    }

    fileprivate func isEmptyDirectory(_ name: [UInt8]) throws(SystemError) -> Bool {
        do {
            return try directory(name).entries(atMost: 1).isEmpty
        } catch  where error.code == EOVERFLOW {
            return false
        }
    }
}
