import Domain
import Files
import Glibc

/// Lists what a command did, by walking what it left behind: an overlay's upper layer, or a private copy. Every
/// writer is dead.
struct ChangeWalk {
    /// The listing is no use beyond a limit.
    private struct Stop: Error {}

    private let source: WorkspacePlan.Tree
    private let hidden: Set<RelativePath>
    private var filesLeft: UInt64
    private var bytesLeft: UInt64
    private(set) var changes: [Change] = []
    private(set) var replaced: [ChangeSet.Place] = []
    private(set) var excesses: [ChangeSet.Excess] = []

    private init(_ source: WorkspacePlan.Tree, filesLeft: UInt64, bytesLeft: UInt64) {
        self.source = source
        self.filesLeft = filesLeft
        self.bytesLeft = bytesLeft
        hidden = Set(source.index.hidden)
    }

    static func list(_ plan: WorkspacePlan, limits: ResourceLimits) throws -> ChangeSet {
        var changes: [Change] = []
        var replaced: [ChangeSet.Place] = []
        var excesses: [ChangeSet.Excess] = []
        var (filesLeft, bytesLeft) = (limits.workspaceFiles, limits.workspaceBytes)
        for tree in plan.trees {
            var walk = ChangeWalk(tree, filesLeft: filesLeft, bytesLeft: bytesLeft)
            do {
                try walk.run()
            } catch is Stop {}
            (filesLeft, bytesLeft) = (walk.filesLeft, walk.bytesLeft)
            changes += walk.changes
            replaced += walk.replaced
            excesses += walk.excesses
        }
        return ChangeSet(run: plan.run, changes: changes, replacedDirectories: replaced, excesses: excesses)
    }

    private var tree: WorkspaceTree { source.tree }

    private mutating func run() throws {
        let shutMode = try ChangedTree.shutMode(tree)
        let changed = try ChangedTree.openRoot(tree)
        defer { if let shutMode { try? changed.setOwnMode(shutMode) } }
        let lower = try Directory(trustedPath: tree.lower)
        compareModes(.root, try shutMode ?? changed.status([]).mode, try lower.status([]))
        try merge(changed, lower, path: .root, isOpaque: !tree.isOverlay, depth: 0)
    }

    /// Lets the caller into a directory that the command shut, as long as `body` runs. Nobody else writes here.
    private mutating func openingUp(
        _ status: FileStatus,
        _ directory: borrowing Directory,
        _ body: (inout ChangeWalk) throws -> Void
    ) throws {
        let isShut = status.mode & 0o700 != 0o700 && geteuid() != 0
        if isShut { try directory.setOwnMode(status.mode | 0o700) }
        defer { if isShut { try? directory.setOwnMode(status.mode) } }
        try body(&self)
    }

    /// Opens a directory of the command's, even one that it shut.
    private func open(_ name: [UInt8], _ status: FileStatus, in parent: borrowing Directory) throws -> Directory {
        guard status.mode & 0o500 != 0o500, geteuid() != 0 else { return try parent.directory(name) }
        try parent.setModeUnopened(name, status.mode | 0o700)
        let directory = try parent.directory(name)
        try directory.setOwnMode(status.mode)
        return directory
    }

    private mutating func count(_ path: RelativePath) throws {
        guard filesLeft > 0 else {
            excesses.append(ChangeSet.Excess(kind: .files, place: place(path)))
            throw Stop()
        }
        filesLeft -= 1
    }

    /// A directory's entries; stops the listing where there are more than may be listed at all.
    private mutating func entries(of directory: borrowing Directory, _ path: RelativePath) throws -> [Directory.Entry] {
        let limit = Int(clamping: min(filesLeft, UInt64(WorkspaceLimits.treeEntriesMax)))
        if let entries = try Self.entries(of: directory, atMost: limit) { return entries }
        excesses.append(ChangeSet.Excess(kind: .files, place: place(path)))
        throw Stop()
    }

    private static func entries(
        of directory: borrowing Directory,
        atMost limit: Int
    ) throws(SystemError) -> [Directory.Entry]? {
        do {
            return try directory.entries(atMost: limit)
        } catch  where error.code == EOVERFLOW {
            return nil
        }
    }

    private mutating func isTooDeep(_ depth: Int, _ path: RelativePath) -> Bool {
        guard depth > WorkspaceLimits.depthMax else { return false }
        excesses.append(ChangeSet.Excess(kind: .depth, place: place(path)))
        return true
    }

    private func place(_ path: RelativePath) -> ChangeSet.Place {
        ChangeSet.Place(tree: tree.index, path: path)
    }

    /// A directory that is there in both. `isOpaque`: a name that is only below was removed by the command.
    private mutating func merge(
        _ changed: borrowing Directory,
        _ lower: borrowing Directory,
        path: RelativePath,
        isOpaque: Bool,
        depth: Int
    ) throws {
        if isTooDeep(depth, path) { return }
        var seen: Set<[UInt8]> = []
        let entries = try entries(of: changed, path)
        for entry in entries {
            guard let child = path.appending(entry.name) else { continue }
            try count(child)
            if isOpaque { seen.insert(entry.name) }
            let status = try changed.status(entry.name)
            let isWhiteout = tree.isOverlay && status.isWhiteout
            if hidden.contains(child) {
                // The command did not see what lies there: it made something new, or removed that again.
                if !isWhiteout { try create(entry.name, status, in: changed, path: child, depth: depth) }
                continue
            }
            guard let previous = try lower.statusIfPresent(entry.name) else {
                if !isWhiteout { try create(entry.name, status, in: changed, path: child, depth: depth) }
                continue
            }
            if isWhiteout {
                try delete(entry.name, previous, in: lower, path: child, depth: depth)
            } else {
                try compare(entry.name, status, in: changed, previous, lower, child, isOpaque, depth)
            }
        }
        if isOpaque { try deleteUnseen(seen, in: lower, path: path, depth: depth) }
    }

    private mutating func deleteUnseen(
        _ seen: Set<[UInt8]>,
        in lower: borrowing Directory,
        path: RelativePath,
        depth: Int
    ) throws {
        for entry in try lower.entries() where !seen.contains(entry.name) {
            guard let child = path.appending(entry.name), !hidden.contains(child) else { continue }
            // A copy never had what was not copied: made outside since, a socket, another file system.
            if let manifest = source.manifest, manifest[child] == nil { continue }
            guard let status = try lower.statusIfPresent(entry.name) else { continue }
            try delete(entry.name, status, in: lower, path: child, depth: depth)
        }
    }

    private mutating func compare(
        _ name: [UInt8],
        _ status: FileStatus,
        in changed: borrowing Directory,
        _ previous: FileStatus,
        _ lower: borrowing Directory,
        _ path: RelativePath,
        _ isOpaque: Bool,
        _ depth: Int
    ) throws {
        switch (status.kind == .directory, previous.kind == .directory) {
        case (true, true):
            compareModes(path, status.mode, previous)
            let directory = try open(name, status, in: changed)
            let below = try lower.directory(name)
            try openingUp(status, directory) { walk in
                let isReplaced = try walk.tree.isOverlay && directory.attribute(Self.opaqueName) == [UInt8(ascii: "y")]
                if isReplaced { walk.replaced.append(walk.place(path)) }
                try walk.merge(directory, below, path: path, isOpaque: isOpaque || isReplaced, depth: depth + 1)
            }
        case (true, false):
            add(path, .changed, .directory, status, previousMode: previous.mode)
            try createContents(name, status, in: changed, path: path, depth: depth)
        case (false, true):
            try addLeaf(name, .changed, status, in: changed, path: path, previousMode: previous.mode)
            try deleteContents(name, in: lower, path: path, depth: depth)
        case (false, false):
            try compareLeaves(name, status, in: changed, previous, lower, path)
        }
    }

    private static let opaqueName = Array("user.overlay.opaque".utf8)

    /// A directory's mode is compared with the start: the user may have changed it since.
    private mutating func compareModes(_ path: RelativePath, _ mode: UInt32, _ previous: FileStatus) {
        let before = source.index.record(path)?.mode ?? previous.mode
        if mode != Self.shown(before, .directory, inCopy: !tree.isOverlay) {
            changes.append(
                Change(
                    tree: tree.index,
                    path: path,
                    kind: .mode,
                    file: .directory,
                    mode: mode,
                    previousMode: before
                )
            )
        }
    }

    /// The permission bits that a private copy gets for an original's.
    private static func shown(_ mode: UInt32, _ kind: FileStatus.Kind, inCopy: Bool) -> UInt32 {
        guard inCopy else { return mode }
        return mode & (kind == .directory ? 0o1777 : 0o777)
    }

    private mutating func compareLeaves(
        _ name: [UInt8],
        _ status: FileStatus,
        in changed: borrowing Directory,
        _ previous: FileStatus,
        _ lower: borrowing Directory,
        _ path: RelativePath
    ) throws {
        if let entry = source.manifest?[path], entry.copyInode == status.inode, entry.copyChanged == status.changed {
            return
        }
        guard status.kind == previous.kind else {
            return try addLeaf(name, .changed, status, in: changed, path: path, previousMode: previous.mode)
        }
        switch status.kind {
        case .file:
            try compareFiles(name, status, in: changed, previous, lower, path)
        case .symlink:
            let isEqual = try lower.linkTarget(name) == changed.linkTarget(name)
            if !isEqual { try addLeaf(name, .changed, status, in: changed, path: path, previousMode: previous.mode) }
        default:
            if status.deviceNumber != previous.deviceNumber || status.mode != previous.mode {
                try addLeaf(name, .changed, status, in: changed, path: path, previousMode: previous.mode)
            }
        }
    }

    private mutating func compareFiles(
        _ name: [UInt8],
        _ status: FileStatus,
        in changed: borrowing Directory,
        _ previous: FileStatus,
        _ lower: borrowing Directory,
        _ path: RelativePath
    ) throws {
        let isSameMode = status.mode == Self.shown(previous.mode, .file, inCopy: !tree.isOverlay)
        guard try takeBytes(status, path) else {
            return add(path, .changed, .file, status, previousMode: previous.mode)
        }
        let file = try openFile(name, status, in: changed)
        let content: FileComparison
        if status.size == previous.size, let below = try Self.openIfAllowed(name, in: lower) {
            content = try FileComparison(file.raw, previous: below.raw)
        } else {
            content = try FileComparison(file.raw, previous: nil)
        }
        if content.isEqual, isSameMode { return }
        add(path, content.isEqual ? .mode : .changed, .file, status, previousMode: previous.mode, content: content)
    }

    private static func openIfAllowed(
        _ name: [UInt8],
        in directory: borrowing Directory
    ) throws(SystemError) -> Descriptor? {
        do {
            return try directory.open(name, flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
        } catch  where [EACCES, EPERM, ENOENT, ELOOP].contains(error.code) {
            return nil
        }
    }

    private func openFile(_ name: [UInt8], _ status: FileStatus, in parent: borrowing Directory) throws -> Descriptor {
        let isShut = status.mode & 0o400 == 0 && geteuid() != 0
        if isShut { try parent.setModeUnopened(name, status.mode | 0o400) }
        let file = try parent.open(name, flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
        if isShut { try file.setMode(status.mode) }
        return file
    }

    private mutating func takeBytes(_ status: FileStatus, _ path: RelativePath) throws -> Bool {
        guard status.size <= bytesLeft else {
            excesses.append(ChangeSet.Excess(kind: .bytes, place: place(path)))
            return false
        }
        bytesLeft -= status.size
        return true
    }

    private mutating func create(
        _ name: [UInt8],
        _ status: FileStatus,
        in changed: borrowing Directory,
        path: RelativePath,
        depth: Int
    ) throws {
        guard status.kind == .directory else {
            return try addLeaf(name, .created, status, in: changed, path: path, previousMode: nil)
        }
        // A directory made in a set-group directory is one by itself, here as well as where it will be applied.
        let inherited = try changed.status([]).mode & 0o2000
        add(path, .created, .directory, status, clearing: inherited)
        try createContents(name, status, in: changed, path: path, depth: depth)
    }

    private mutating func createContents(
        _ name: [UInt8],
        _ status: FileStatus,
        in changed: borrowing Directory,
        path: RelativePath,
        depth: Int
    ) throws {
        if isTooDeep(depth + 1, path) { return }
        let directory = try open(name, status, in: changed)
        try openingUp(status, directory) { walk in
            let entries = try walk.entries(of: directory, path)
            for entry in entries {
                guard let child = path.appending(entry.name) else { continue }
                try walk.count(child)
                let status = try directory.status(entry.name)
                if walk.tree.isOverlay, status.isWhiteout { continue }
                try walk.create(entry.name, status, in: directory, path: child, depth: depth + 1)
            }
        }
    }

    /// Everything but a directory.
    private mutating func addLeaf(
        _ name: [UInt8],
        _ kind: ChangeKind,
        _ status: FileStatus,
        in changed: borrowing Directory,
        path: RelativePath,
        previousMode: UInt32?
    ) throws {
        switch status.kind {
        case .file:
            guard try takeBytes(status, path) else { return add(path, kind, .file, status, previousMode: previousMode) }
            let file = try openFile(name, status, in: changed)
            let content = try FileComparison(file.raw, previous: nil)
            add(path, kind, .file, status, previousMode: previousMode, content: content)
        case .symlink:
            let target = try changed.linkTarget(name)
            add(path, kind, .symlink, status, previousMode: previousMode, linkTarget: target)
        default:
            add(path, kind, FileKind(status.kind), status, previousMode: previousMode)
        }
    }

    private mutating func delete(
        _ name: [UInt8],
        _ status: FileStatus,
        in lower: borrowing Directory,
        path: RelativePath,
        depth: Int
    ) throws {
        let change = Change(
            tree: tree.index,
            path: path,
            kind: .deleted,
            file: FileKind(status.kind),
            previousMode: status.mode
        )
        changes.append(change)
        if status.kind == .directory { try deleteContents(name, in: lower, path: path, depth: depth) }
    }

    /// What the command saw below a directory that is gone.
    private mutating func deleteContents(
        _ name: [UInt8],
        in lower: borrowing Directory,
        path: RelativePath,
        depth: Int
    ) throws {
        if isTooDeep(depth + 1, path) { return }
        let directory = try lower.directory(name)
        guard try directory.status([]).device == source.index.device else { return }
        for entry in try directory.entries() {
            guard let child = path.appending(entry.name), !hidden.contains(child),
                let status = try directory.statusIfPresent(entry.name)
            else { continue }
            try count(child)
            try delete(entry.name, status, in: directory, path: child, depth: depth + 1)
        }
    }

    private mutating func add(
        _ path: RelativePath,
        _ kind: ChangeKind,
        _ file: FileKind,
        _ status: FileStatus,
        previousMode: UInt32? = nil,
        linkTarget: [UInt8]? = nil,
        content: FileComparison? = nil,
        clearing bits: UInt32 = 0
    ) {
        let change = Change(
            tree: tree.index,
            path: path,
            kind: kind,
            file: file,
            size: file == .file ? status.size : 0,
            mode: status.mode & ~bits,
            previousMode: previousMode,
            linkTarget: linkTarget,
            isText: content?.isText,
            digest: content?.digest
        )
        changes.append(change)
    }
}

extension FileKind {
    init(_ kind: FileStatus.Kind) {
        self =
            switch kind {
            case .file: .file
            case .directory: .directory
            case .symlink: .symlink
            case .fifo: .fifo
            case .socket: .socket
            case .characterDevice, .blockDevice: .device
            }
    }
}
