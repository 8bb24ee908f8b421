package import Domain
import Files
import Glibc

/// Makes the view of a project that a command works on, so that nothing it does reaches the user's files by itself.
package struct Workspace: Sendable {
    package enum Choice: Sendable, Equatable {
        /// The overlay where it is possible, else a copy with the reason recorded.
        case auto
        case overlay
        /// A copy; `reason` says why, if it was not simply asked for (the sandbox could not mount the overlay).
        case copy(reason: String?)
    }

    /// The run, whose directory exists.
    let stored: StoredRun
    /// Absolute path of the user's state directory; it exists.
    private let stateDirectory: String
    private let limits: ResourceLimits
    private let time: any TimeSource

    package init(
        _ stored: StoredRun,
        stateDirectory: String,
        limits: ResourceLimits,
        time: any TimeSource
    ) {
        self.stored = stored
        self.stateDirectory = stateDirectory
        self.limits = limits
        self.time = time
    }

    /// Prepares the layers of every tree; nothing is mounted yet.
    ///
    /// - Parameters:
    ///   - gitDirectories: absolute paths of git directories outside the project that belong to it, already judged.
    ///   - tracked: says whether a file of the project equals its entry in git's index; asked only of files that would
    ///     be hidden.
    package func prepare(
        _ choice: Choice = .auto,
        gitDirectories: [String] = [],
        tracked: (any TrackedSource)? = nil
    ) throws(WorkspaceError) -> WorkspacePlan {
        try WorkspaceError.attempt("prepare the workspace") {
            let workspace = try makeDirectory()
            let lowers = try walkAll([stored.project] + gitDirectories, tracked)
            let (mode, reason) = try decide(choice, lowers, workspace)
            return try layOut(lowers, mode: mode, reason: reason, in: workspace)
        }
    }

    func makeDirectory() throws -> Directory {
        let run = try Directory(trustedPath: stored.runDirectory)
        _ = try run.makeDirectoryIfAbsent(WorkspaceFiles.directory, mode: 0o700)
        return try run.directory(WorkspaceFiles.directory)
    }

    /// One of the user's trees as it is at the start.
    struct Lower {
        let number: Int
        let path: String
        let status: FileStatus
        let index: TreeIndex
        /// Holds that index.
        let cache: IndexCache
    }

    /// Walks the project, which is the first, and the git directories outside it.
    func walkAll(_ paths: [String], _ tracked: (any TrackedSource)?) throws -> [Lower] {
        guard paths.count <= WorkspaceLimits.treesMax else {
            throw WorkspaceError(.tooLarge, "prepare the workspace: more than \(WorkspaceLimits.treesMax) trees")
        }
        let mounts = try MountTable()
        return try paths.enumerated().map { number, path in
            try walk(path, number, mounts, number == 0 ? tracked : nil)
        }
    }

    private func walk(
        _ path: String,
        _ number: Int,
        _ mounts: MountTable,
        _ tracked: (any TrackedSource)?
    ) throws -> Lower {
        let root = try Directory(trustedPath: path)
        let status = try root.status([])
        let caller = geteuid()
        guard caller == 0 || status.userID == caller else {
            throw WorkspaceError(
                .unusable,
                "prepare the workspace: \(Printable.text(path)) belongs to user \(status.userID), not to you",
                hint: "Work on a project of your own, or copy it first."
            )
        }
        let cache = try IndexCache(stateDirectory: stateDirectory, tree: path, seal: stored.indexSeal(path))
        let cached = cache.load()
        var walk = try TreeWalk(
            cached: cached,
            unixMilliseconds: time.unixMilliseconds(),
            mounts: Set(mounts.places(below: root).compactMap { RelativePath(bytes: $0) }),
            tracked: tracked
        )
        try walk.run(root: root)
        if walk.isFresh || !walk.index.isSame(as: cached) { try cache.store(walk.index) }
        return Lower(number: number, path: path, status: status, index: walk.index, cache: cache)
    }

    private func decide(
        _ choice: Choice,
        _ lowers: [Lower],
        _ workspace: borrowing Directory
    ) throws -> (WorkspaceMode, String?) {
        if case .copy(let reason) = choice { return (.copy, reason) }
        for lower in lowers {
            guard
                let reason = try OverlaySupport.obstacle(
                    lower: lower.path,
                    status: lower.status,
                    index: lower.index,
                    layers: workspace
                )
            else { continue }
            guard choice == .auto else {
                throw WorkspaceError(
                    .unusable,
                    "prepare the workspace: an overlay is impossible: \(reason)",
                    hint: "Use --workspace copy."
                )
            }
            return (.copy, reason)
        }
        return (.overlay, nil)
    }

    private func layOut(
        _ lowers: [Lower],
        mode: WorkspaceMode,
        reason: String?,
        in workspace: borrowing Directory
    ) throws -> WorkspacePlan {
        var trees: [WorkspacePlan.Tree] = []
        var mounts: [WorkspaceMount] = []
        var leases: [MaskLease] = []
        for lower in lowers {
            let name = WorkspaceFiles.tree(lower.number)
            // Layers of an earlier attempt are never used again: a volatile overlay refuses its second mount.
            try workspace.removeTree(name)
            try workspace.makeDirectory(name, mode: 0o700)
            let layers = try workspace.directory(name)
            let path = stored.layers(lower.number)
            let source: WorkspaceMount.Source
            var manifest: CopyManifest?
            switch mode {
            case .overlay:
                let mask = try MaskLayer.prepare(for: lower.index, stateDirectory: stateDirectory)
                if let mask { leases.append(mask.lease) }
                try makeLayers(in: layers, like: lower.status)
                source = .overlay(lower: lower.path, mask: mask?.path, layers: path)
            case .copy:
                manifest = try makeCopy(of: lower, in: layers)
                source = .copy(directory: path + "/copy")
            case .direct: preconditionFailure("a direct workspace has no layers")
            }
            try own(layers, lower.status)
            mounts.append(mount(source, lower))
            trees.append(tree(lower, mode: mode, manifest: manifest))
        }
        let plan = WorkspacePlan(
            run: stored.run,
            mode: mode,
            copyReason: reason,
            trees: trees,
            baseTime: try stamp(workspace),
            mounts: mounts,
            live: nil,
            leases: leases
        )
        try plan.store(in: workspace, stored, caches: lowers.map(\.cache))
        return plan
    }

    func mount(_ source: WorkspaceMount.Source, _ lower: Lower) -> WorkspaceMount {
        WorkspaceMount(
            source: source,
            target: lower.path,
            ownerUserID: lower.status.userID,
            ownerGroupID: lower.status.groupID
        )
    }

    private func tree(
        _ lower: Lower,
        mode: WorkspaceMode,
        manifest: CopyManifest?
    ) -> WorkspacePlan.Tree {
        WorkspacePlan.Tree(
            tree: stored.tree(lower.number, lower: lower.path, mode: mode),
            ownerUserID: lower.status.userID,
            ownerGroupID: lower.status.groupID,
            index: lower.index,
            manifest: manifest
        )
    }

    /// The upper layer's root shows as the project's root, so that it has its mode; the directory above shuts others
    /// out.
    private func makeLayers(in layers: borrowing Directory, like status: FileStatus) throws {
        try layers.makeDirectory(WorkspaceFiles.work, mode: 0o700)
        try layers.makeDirectory(WorkspaceFiles.upper, mode: 0o700)
        let upper = try layers.directory(WorkspaceFiles.upper)
        try own(upper, status)
        try own(layers.directory(WorkspaceFiles.work), status)
        try upper.setOwnMode(status.mode)
        try upper.setOwnModified(status.modified)
    }

    private func makeCopy(of lower: Lower, in layers: borrowing Directory) throws -> CopyManifest {
        try layers.makeDirectory(WorkspaceFiles.copy, mode: 0o700)
        var copy = TreeCopy(
            lower.index,
            owner: (lower.status.userID, lower.status.groupID),
            bytesMax: limits.workspaceBytes,
            filesMax: limits.workspaceFiles
        )
        try copy.run(from: Directory(trustedPath: lower.path), to: layers.directory(WorkspaceFiles.copy))
        return copy.manifest
    }

    private func own(_ directory: borrowing Directory, _ status: FileStatus) throws {
        guard geteuid() == 0 else { return }
        try directory.setOwnOwner(userID: status.userID, groupID: status.groupID)
    }

    /// The kernel's own time just before the command can start: a change of any attribute makes the kernel stamp the
    /// ctime.
    func stamp(_ workspace: borrowing Directory) throws -> FileTime {
        try workspace.setOwnModified(workspace.status([]).modified)
        return try workspace.status([]).changed
    }
}
