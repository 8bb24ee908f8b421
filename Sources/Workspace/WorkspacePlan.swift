package import Domain
package import Files

/// A workspace that is ready to be mounted, and everything that is needed afterwards to say what changed in it.
package struct WorkspacePlan: Sendable {
    /// One tree with what was known of it at the start.
    package struct Tree: Sendable {
        package let tree: WorkspaceTree
        package let ownerUserID: UInt32
        package let ownerGroupID: UInt32
        package let index: TreeIndex
        let manifest: CopyManifest?
    }

    package let run: RunID
    package let mode: WorkspaceMode
    /// Why it is not the overlay, for the run's record; nil for an overlay or a copy that was asked for.
    package let copyReason: String?
    package let trees: [Tree]
    /// Nothing in the trees that the command could have seen has a ctime from here on.
    package let baseTime: FileTime
    /// What the sandbox mounts; empty in a plan that was loaded again, since nothing is mounted twice.
    package let mounts: [WorkspaceMount]
    /// What a direct workspace was guarded by; nil for the others.
    package let live: LiveSummary?
    /// Keeps the mask layers while the plan lives.
    let leases: [MaskLease]

    package var workspaceTrees: [WorkspaceTree] { trees.map(\.tree) }
    package var project: String { trees[0].tree.lower }
    /// Hidden paths of the project.
    package var hidden: [RelativePath] { trees[0].index.hidden }
}

extension WorkspacePlan {
    private static let magic: StaticString = "BLYPLN02"

    /// Writes the plan into the run's workspace directory. Each tree's index is in its cache already.
    func store(in workspace: borrowing Directory, caches: [IndexCache]) throws {
        var writer = BinaryWriter(magic: Self.magic)
        writer.add(run.rawValue)
        writer.add(mode.rawValue)
        writer.add(optional: copyReason) { $0.add($1) }
        writer.add(baseTime)
        writer.add(UInt8(trees.count))
        for tree in trees {
            writer.add(tree.tree.lower)
            writer.add(tree.tree.changed)
            writer.add(tree.tree.isOverlay)
            writer.add(tree.ownerUserID)
            writer.add(tree.ownerGroupID)
            writer.add(tree.manifest != nil)
        }
        writer.add(optional: live) { $0.add($1) }
        try FileContent.create(WorkspaceFiles.plan, in: workspace, with: writer.sealed())
        for tree in trees {
            let number = tree.tree.index
            let index = WorkspaceFiles.index(number)
            // One from an attempt before may be a name of the cache's file, which must not be written to.
            if try workspace.statusIfPresent(index) != nil { try workspace.removeFile(index) }
            if try !caches[number].link(to: workspace, as: index) {
                try FileContent.create(index, in: workspace, with: tree.index.encoded())
            }
            guard let manifest = tree.manifest?.encoded() else { continue }
            try FileContent.create(WorkspaceFiles.manifest(number), in: workspace, with: manifest)
        }
    }

    /// Reads a run's plan again, to show or apply its changes later.
    package static func load(runDirectory: String) throws(WorkspaceError) -> WorkspacePlan {
        try WorkspaceError.attempt("read the workspace of the run") {
            let workspace = try Directory(trustedPath: runDirectory).directory(WorkspaceFiles.directory)
            do {
                return try read(workspace)
            } catch is BinaryReader.Damaged {
                throw damaged(runDirectory)
            }
        }
    }

    private static func damaged(_ runDirectory: String) -> WorkspaceError {
        WorkspaceError(
            .damaged,
            "read the workspace of the run: its stored form in \(Printable.text(runDirectory)) is damaged",
            hint: "Discard the run's changes; the files of the project are untouched."
        )
    }

    private static func read(_ workspace: borrowing Directory) throws -> WorkspacePlan {
        guard let stored = try WorkspaceFiles.read(WorkspaceFiles.plan, in: workspace) else {
            throw BinaryReader.Damaged()
        }
        var reader = try BinaryReader(sealed: stored, magic: magic)
        guard let run = RunID(try reader.readText()), let mode = WorkspaceMode(rawValue: try reader.readText()) else {
            throw BinaryReader.Damaged()
        }
        let reason = try reader.readOptional { (reader) throws(BinaryReader.Damaged) in try reader.readText() }
        let baseTime = try reader.readTime()
        let count = Int(try reader.read(UInt8.self))
        guard (1...WorkspaceLimits.treesMax).contains(count) else { throw BinaryReader.Damaged() }
        var trees: [Tree] = []
        for number in 0..<count {
            let lower = try reader.readText()
            let changed = try reader.readText()
            let tree = WorkspaceTree(
                index: number,
                lower: lower,
                changed: changed,
                isOverlay: try reader.readFlag()
            )
            let userID = try reader.read(UInt32.self)
            let groupID = try reader.read(UInt32.self)
            let hasManifest = try reader.readFlag()
            let index = try WorkspaceFiles.read(WorkspaceFiles.index(number), in: workspace).flatMap(TreeIndex.init)
            guard let index else { throw BinaryReader.Damaged() }
            var manifest: CopyManifest?
            if hasManifest {
                let stored = try WorkspaceFiles.read(WorkspaceFiles.manifest(number), in: workspace)
                guard let read = stored.flatMap(CopyManifest.init) else { throw BinaryReader.Damaged() }
                manifest = read
            }
            trees.append(
                Tree(tree: tree, ownerUserID: userID, ownerGroupID: groupID, index: index, manifest: manifest)
            )
        }
        let live = try reader.readOptional { (reader) throws(BinaryReader.Damaged) in try reader.readLiveSummary() }
        guard reader.isAtEnd, (live != nil) == (mode == .direct) else { throw BinaryReader.Damaged() }
        return WorkspacePlan(
            run: run,
            mode: mode,
            copyReason: reason,
            trees: trees,
            baseTime: baseTime,
            mounts: [],
            live: live,
            leases: []
        )
    }
}
