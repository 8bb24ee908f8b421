import Domain
import Files
import Glibc

/// Makes a private copy of a user's tree without what is hidden, where an overlay cannot be used.
struct TreeCopy {
    /// What is hidden, and what is mounted.
    private let skipped: Set<RelativePath>
    private let device: UInt64
    private let owner: (userID: UInt32, groupID: UInt32)
    private var bytesLeft: UInt64
    private var filesLeft: UInt64
    private(set) var manifest = CopyManifest()

    init(_ index: TreeIndex, owner: (userID: UInt32, groupID: UInt32), bytesMax: UInt64, filesMax: UInt64) {
        skipped = Set(index.hidden + index.mountPoints)
        device = index.device
        self.owner = owner
        bytesLeft = bytesMax
        filesLeft = filesMax
    }

    mutating func run(from lower: borrowing Directory, to copy: borrowing Directory) throws {
        try copyContents(of: lower, to: copy, path: .root, depth: 0)
    }

    private mutating func copyContents(
        of lower: borrowing Directory,
        to copy: borrowing Directory,
        path: RelativePath,
        depth: Int
    ) throws {
        guard depth <= WorkspaceLimits.depthMax else {
            throw WorkspaceError(.tooLarge, "copy the project: directories lie too deep below \(path)", path: path)
        }
        let status = try lower.status([])
        for entry in try lower.entries() {
            guard let child = path.appending(entry.name), !skipped.contains(child),
                let status = try lower.statusIfPresent(entry.name)
            else { continue }
            guard filesLeft > 0 else { throw tooLarge("entries", child) }
            filesLeft -= 1
            switch status.kind {
            case .directory:
                guard status.device == device else { continue }
                try copy.makeDirectory(entry.name, mode: 0o700)
                let target = try copy.directory(entry.name)
                try copyContents(of: lower.directory(entry.name), to: target, path: child, depth: depth + 1)
            case .file:
                try copyFile(entry.name, status, from: lower, to: copy, path: child)
            case .symlink:
                try copy.makeSymbolicLink(entry.name, to: lower.linkTarget(entry.name))
                try copy.setModified(entry.name, status.modified)
            case .fifo, .socket, .characterDevice, .blockDevice:
                continue
            }
            if status.kind != .directory { try finish(entry.name, status, in: copy, path: child) }
        }
        // After the entries, which change its time, and with a mode that may forbid to make any.
        if geteuid() == 0 { try copy.setOwnOwner(userID: owner.userID, groupID: owner.groupID) }
        try copy.setOwnMode(status.mode & 0o1777)
        try copy.setOwnModified(status.modified)
        note(path, kind: .directory, lower: status, copy: try copy.status([]))
    }

    private mutating func copyFile(
        _ name: [UInt8],
        _ status: FileStatus,
        from lower: borrowing Directory,
        to copy: borrowing Directory,
        path: RelativePath
    ) throws {
        guard status.size <= bytesLeft else { throw tooLarge("bytes", path) }
        let source = try lower.open(name, flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
        let target = try copy.open(name, flags: O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        guard try FileCopy.copy(source, to: target, bytesMax: bytesLeft) else { throw tooLarge("bytes", path) }
        bytesLeft -= min(bytesLeft, status.size)
        try target.setMode(status.mode & 0o777)
    }

    private mutating func finish(
        _ name: [UInt8],
        _ status: FileStatus,
        in copy: borrowing Directory,
        path: RelativePath
    ) throws {
        if geteuid() == 0 { try copy.setOwner(name, userID: owner.userID, groupID: owner.groupID) }
        try copy.setModified(name, status.modified)
        let kind: FileKind = status.kind == .file ? .file : .symlink
        note(path, kind: kind, lower: status, copy: try copy.status(name))
    }

    private mutating func note(_ path: RelativePath, kind: FileKind, lower: FileStatus, copy: FileStatus) {
        manifest[path] = CopyManifest.Entry(
            kind: kind,
            lowerInode: lower.inode,
            lowerChanged: lower.changed,
            copyInode: copy.inode,
            copyChanged: copy.changed
        )
    }

    private func tooLarge(_ what: String, _ path: RelativePath) -> WorkspaceError {
        WorkspaceError(
            .tooLarge,
            "copy the project: it has more \(what) than the workspace may have, seen at \(path)",
            path: path,
            hint:
                "Raise workspace_bytes or workspace_files, or move the project to a file system that overlays can use."
        )
    }
}
