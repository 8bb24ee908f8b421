import Domain
import Files
import Glibc

/// Turns a change set into operations, and stages every new content: verified, with its final mode and owner.
struct ApplyStaging {
    private let context: ApplyContext
    private let set: ChangeSet
    private var operations: [ApplyOperation] = []
    private var ready: [(change: Change, base: FileStatus?)] = []
    /// Staged files whose writing has begun.
    private let written: SyncBatch
    /// Groups of new directories in set-group directories, which a rename does not hand down.
    private var inheritedGroups: [ChangeSet.Place: UInt32] = [:]
    /// Modes that are set last, since they shut a directory.
    private var last: [ApplyOperation] = []

    /// What was staged is not on the disk yet: the caller waits for `batch`, to which all of it is added, before it
    /// relies on it.
    static func stage(_ set: ChangeSet, in context: ApplyContext, _ batch: SyncBatch) throws -> [ApplyOperation] {
        var staging = ApplyStaging(context: context, set: set, written: batch)
        try staging.judge()
        guard !staging.ready.isEmpty else { return [] }
        try context.makeStaging()
        staging.addLoosening()
        staging.addRemovals()
        try staging.addContent()
        staging.operations += staging.last.reversed()
        try context.addStaging(to: batch)
        return staging.operations
    }

    private init(context: ApplyContext, set: ChangeSet, written: SyncBatch) {
        self.context = context
        self.set = set
        self.written = written
    }

    private mutating func judge() throws {
        try context.plan.check(set)
        if let excess = set.excesses.first {
            throw refused("the change set is not complete (limit of \(excess.kind.rawValue))", excess.place.path)
        }
        let check = ConflictCheck(context.plan, set, context.trees)
        let (answers, conflicts) = try check.judgeAll()
        if let first = conflicts.first {
            let more = conflicts.count > 1 ? " and \(conflicts.count - 1) more" : ""
            throw WorkspaceError(
                .conflict,
                "apply the changes: conflict at \(first.path): \(first.cause.rawValue)\(more)",
                path: first.path,
                hint:
                    "Nothing was applied. Look at the conflicts, then run the command again on the project."
            )
        }
        for (change, answer) in zip(set.changes, answers) {
            try refuseUnfit(change)
            switch answer {
            case .done: continue
            case .ready(let base): ready.append((change, base))
            case .conflict(let cause): throw Self.conflict(change.path, "conflict: \(cause.rawValue)")
            }
        }
    }

    static func conflict(_ path: RelativePath, _ why: String) -> WorkspaceError {
        WorkspaceError(
            .conflict,
            "apply the changes: \(path): \(why)",
            path: path,
            hint: "Nothing was applied. Run the command again on the project as it is now."
        )
    }

    private func refused(_ why: String, _ path: RelativePath) -> WorkspaceError {
        WorkspaceError(.refused, "apply the changes: \(path): \(why)", path: path)
    }

    /// What no rule and no person lets into a project.
    private func refuseUnfit(_ change: Change) throws {
        if change.kind == .deleted { return }
        switch change.file {
        case .fifo, .socket, .device:
            throw refused("a \(change.file.rawValue) is never applied", change.path)
        case .file:
            if (change.mode ?? 0) & 0o6000 != 0 {
                throw refused("a set-uid or set-gid file is never applied", change.path)
            }
            if change.digest == nil { throw refused("its content was not read", change.path) }
        case .directory, .symlink:
            break
        }
        if change.path.isRoot, change.kind != .mode { throw refused("the root is never replaced", change.path) }
    }

    /// The permission bits that are applied: set-id bits never; a directory keeps the set-group bit that it has.
    private static func mode(_ change: Change, base: FileStatus?) -> UInt32 {
        let wanted = change.mode ?? 0
        guard change.file == .directory else { return wanted & 0o777 }
        return wanted & 0o1777 | (base?.kind == .directory ? (base?.mode ?? 0) & 0o2000 : 0)
    }

    private func operation(
        _ kind: ApplyOperation.Kind,
        _ change: Change,
        base: FileStatus?,
        staged: FileStatus? = nil,
        mode: UInt32 = 0
    ) -> ApplyOperation {
        ApplyOperation(
            kind: kind,
            tree: change.tree,
            path: change.path,
            base: base.map { ApplyOperation.Mark($0) },
            staged: staged.map { ApplyOperation.Mark($0) },
            newMode: mode
        )
    }

    /// Directories that become writable do so first, for what is made in them.
    private mutating func addLoosening() {
        for (change, base) in ready where change.kind == .mode && change.file == .directory {
            let mode = Self.mode(change, base: base)
            let operation = operation(.mode, change, base: base, mode: mode)
            if mode & 0o700 == 0o700 { operations.append(operation) } else { last.append(operation) }
        }
    }

    /// Children before their directories.
    private mutating func addRemovals() {
        for (change, base) in ready.reversed() {
            guard let base else { continue }
            let isReplacedDirectory =
                change.kind == .changed && (base.kind == .directory) != (change.file == .directory)
            if change.kind == .deleted || isReplacedDirectory {
                operations.append(operation(.remove, change, base: base))
            }
        }
    }

    /// Directories before their children.
    private mutating func addContent() throws {
        for (change, base) in ready {
            switch change.kind {
            case .deleted:
                continue
            case .mode:
                if change.file == .directory { continue }
                let mode = Self.mode(change, base: base)
                operations.append(operation(.mode, change, base: base, mode: mode))
            case .created, .changed:
                if change.file == .directory {
                    try addDirectory(change)
                } else {
                    var isExchange = base.map { $0.kind != .directory } ?? false
                    if isExchange, !context.staging[change.tree].canExchange {
                        operations.append(operation(.remove, change, base: base))
                        isExchange = false
                    }
                    let staged = try stageLeaf(change, base: base)
                    // A directory that was there is removed by then: the way is free.
                    let kind: ApplyOperation.Kind = isExchange ? .exchange : .place
                    operations.append(operation(kind, change, base: isExchange ? base : nil, staged: staged))
                }
            }
        }
    }

    private mutating func addDirectory(_ change: Change) throws {
        let tree = context.trees[change.tree]
        let area = context.staging[change.tree]
        let name = StagingArea.name(operations.count)
        let wanted = Self.mode(change, base: nil)
        try area.new.makeDirectory(name, mode: 0o700)
        let made = try area.new.directory(name)
        var group = tree.source.ownerGroupID
        var bits: UInt32 = 0
        if let inherited = try inheritedGroup(change) {
            group = inherited
            bits = 0o2000
            inheritedGroups[ChangeSet.Place(tree: change.tree, path: change.path)] = group
        }
        if geteuid() == 0 {
            try made.setOwnOwner(userID: tree.source.ownerUserID, groupID: group)
        } else if bits != 0 {
            try made.setOwnOwner(userID: .max, groupID: group)
        }
        try made.setOwnMode(wanted | 0o700 | bits)
        let staged = try made.status([])
        operations.append(operation(.place, change, base: nil, staged: staged))
        if wanted & 0o700 != 0o700 { last.append(operation(.mode, change, base: staged, mode: wanted | bits)) }
    }

    /// The group that a new directory gets from the directory it is made in; nil if that is not a set-group directory.
    private func inheritedGroup(_ change: Change) throws -> UInt32? {
        let parent = change.path.parent
        if let group = inheritedGroups[ChangeSet.Place(tree: change.tree, path: parent)] { return group }
        guard let directory = try context.trees[change.tree].lower.directoryIfPresent(at: parent.components) else {
            return nil
        }
        let status = try directory.status([])
        return status.mode & 0o2000 != 0 ? status.groupID : nil
    }

    /// Brings a file or link of the command's to the staging directory, and makes sure that it is what was listed.
    private func stageLeaf(_ change: Change, base: FileStatus?) throws -> FileStatus {
        guard let leaf = change.path.name else { throw refused("the root is never replaced", change.path) }
        let name = StagingArea.name(operations.count)
        let parent = try context.changed(context.trees[change.tree]).directory(change.path.parent)
        switch change.file {
        case .symlink: return try stageLink(leaf, in: parent, name, change)
        case .file: return try stageFile(leaf, in: parent, name, change, base: base?.kind == .file ? base : nil)
        case .directory, .fifo, .socket, .device: throw isNotWhatWasListed(change)
        }
    }

    private func stageLink(_ leaf: [UInt8], in parent: borrowing Directory, _ name: [UInt8], _ change: Change) throws
        -> FileStatus
    {
        let area = context.staging[change.tree]
        if try !Self.linkIfPossible(leaf, in: parent, to: area.new, name) {
            guard try parent.status(leaf).kind == .symlink else { throw isNotWhatWasListed(change) }
            try area.new.makeSymbolicLink(name, to: parent.linkTarget(leaf))
        }
        let status = try area.new.status(name)
        guard status.kind == .symlink, try area.new.linkTarget(name) == change.linkTarget else {
            throw isNotWhatWasListed(change)
        }
        return status
    }

    /// A second name costs nothing and leaves the command's layer as it is, should the apply be undone. A file to which
    /// the command gave several names is copied: in the project they would stay one file, and each later edit of one
    /// would change all. So is one that somebody may have open: what they write later would be in the project.
    private func stageFile(
        _ leaf: [UInt8],
        in parent: borrowing Directory,
        _ name: [UInt8],
        _ change: Change,
        base: FileStatus?
    ) throws -> FileStatus {
        let area = context.staging[change.tree]
        if !context.layersAreShared, try Self.linkIfPossible(leaf, in: parent, to: area.new, name) {
            let file = try openStaged(name, change)
            let status = try file.status()
            // Its own name, and the one that was just made.
            if status.kind != .file || status.linkCount == 2 {
                return try finish(file, status, change, base: base)
            }
            try area.new.removeFile(name)
        }
        try copy(leaf, in: parent, to: name, change)
        let file = try openStaged(name, change)
        let status = try file.status()
        return try finish(file, status, change, base: base)
    }

    /// Opens what was brought for reading: whatever happens to the name, this is what is looked at.
    private func openStaged(_ name: [UInt8], _ change: Change) throws -> Descriptor {
        let area = context.staging[change.tree]
        if let file = try Self.openIfAllowed(name, in: area.new) { return file }
        let status = try area.new.status(name)
        guard status.kind == .file else { throw isNotWhatWasListed(change) }
        if status.mode & 0o400 == 0 { try area.new.setModeUnopened(name, 0o600) }
        return try area.new.open(name, flags: Self.readingFlags)
    }

    private static var readingFlags: Int32 { O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY }

    /// Nil for a file that not even its owner may read, for a link, and for a file of somebody else's.
    private static func openIfAllowed(
        _ name: [UInt8],
        in area: borrowing Directory
    ) throws(SystemError) -> Descriptor? {
        do {
            return try area.open(name, flags: readingFlags | Descriptor.readingLeavesNoStamp)
        } catch  where [EACCES, ELOOP, EPERM].contains(error.code) {
            return nil
        }
    }

    private func isNotWhatWasListed(_ change: Change) -> WorkspaceError {
        WorkspaceError(
            .refused,
            "apply the changes: \(change.path) is not what was listed when the command ended",
            path: change.path,
            hint: "Something wrote to the run's directory since. Discard the run's changes and run the command again."
        )
    }

    private func copy(_ leaf: [UInt8], in parent: borrowing Directory, to name: [UInt8], _ change: Change) throws {
        guard try parent.status(leaf).kind == .file else { throw isNotWhatWasListed(change) }
        let source = try context.changed(context.trees[change.tree]).open(change.path)
        let flags = O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW
        let copy = try context.staging[change.tree].new.open(name, flags: flags, mode: 0o600)
        guard try FileCopy.copy(source, to: copy, bytesMax: change.size) else { throw isNotWhatWasListed(change) }
        let owner = context.trees[change.tree].source
        if geteuid() == 0 { try copy.setOwner(userID: owner.ownerUserID, groupID: owner.ownerGroupID) }
    }

    private static func linkIfPossible(
        _ leaf: [UInt8],
        in parent: borrowing Directory,
        to area: borrowing Directory,
        _ name: [UInt8]
    ) throws(SystemError) -> Bool {
        do {
            try parent.link(leaf, to: area, name)
            return true
        } catch  where [EXDEV, EPERM, EMLINK, EOPNOTSUPP, EACCES].contains(error.code) {
            return false
        }
    }

    /// Compares a staged file with what was listed, gives it its mode and owner.
    /// `status` is from before the content is read: a later change of it would show against what is returned.
    private func finish(
        _ file: consuming Descriptor,
        _ status: FileStatus,
        _ change: Change,
        base: FileStatus?
    ) throws -> FileStatus {
        guard status.kind == .file, status.size == change.size,
            try FileComparison(file.raw, previous: nil).digest == change.digest
        else { throw isNotWhatWasListed(change) }
        let final = try Self.settle(file, status, mode: Self.mode(change, base: base), owner: base)
        try written.add(file)
        return final
    }

    /// Takes from a file what never enters a project, and gives it its mode and owner. Most have these already, and
    /// each change of them would be one more entry in the file system's journal. Returns what it is then.
    private static func settle(
        _ file: borrowing Descriptor,
        _ status: FileStatus,
        mode: UInt32,
        owner: FileStatus?
    ) throws(SystemError) -> FileStatus {
        let marks = try file.attributeNames().filter(isNeverApplied)
        for mark in marks { try file.removeAttribute(mark) }
        let now = marks.isEmpty ? status : try file.status()
        if geteuid() == 0, let owner, (now.userID, now.groupID) != (owner.userID, owner.groupID) {
            try file.setOwner(userID: owner.userID, groupID: owner.groupID)
        } else if now.mode == mode {
            return now
        }
        try file.setMode(mode)
        return try file.status()
    }

    /// The overlay's own marks, and what could give rights that the mode does not show.
    private static func isNeverApplied(_ attribute: [UInt8]) -> Bool {
        ["user.overlay.", "security.capability", "system.posix_acl_"].contains { attribute.starts(with: $0.utf8) }
    }
}
