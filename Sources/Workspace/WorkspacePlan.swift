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
    private static let magic: StaticString = "BLYPLN03"

    /// Writes the plan into the run's workspace directory, last of all: it names the indexes that belong to it. Each
    /// tree's index is in its cache already.
    func store(in workspace: borrowing Directory, _ stored: StoredRun, caches: [IndexCache]) throws {
        var writer = BinaryWriter(magic: Self.magic)
        writer.add(run.rawValue)
        writer.add(mode.rawValue)
        writer.add(optional: copyReason) { $0.add($1) }
        writer.add(baseTime)
        writer.add(UInt8(trees.count))
        for tree in trees {
            let number = tree.tree.index
            writer.add(tree.tree.lower)
            writer.add(tree.ownerUserID)
            writer.add(tree.ownerGroupID)
            writer.add(tree.manifest != nil)
            writer.add(try storeIndex(tree, in: workspace, stored, cache: caches[number]))
            guard let manifest = tree.manifest?.encoded(by: stored.manifestSeal(number)) else { continue }
            try FileContent.create(WorkspaceFiles.manifest(number), in: workspace, with: manifest)
        }
        writer.add(optional: live) { $0.add($1) }
        // A kill leaves no half of one.
        let bytes = writer.sealed(by: stored.planSeal)
        try FileContent.replace(WorkspaceFiles.plan, in: workspace, with: bytes, durable: false)
    }

    /// Returns the tag of the tree's index.
    private func storeIndex(
        _ tree: Tree,
        in workspace: borrowing Directory,
        _ stored: StoredRun,
        cache: IndexCache
    ) throws -> [UInt8] {
        let name = WorkspaceFiles.index(tree.tree.index)
        // One from an attempt before may be a name of the cache's file, which must not be written to.
        if try workspace.statusIfPresent(name) != nil { try workspace.removeFile(name) }
        if let tag = try cache.link(to: workspace, as: name) { return tag }
        let bytes = tree.index.encoded(by: stored.indexSeal(tree.tree.lower))
        try FileContent.create(name, in: workspace, with: bytes)
        return bytes.suffix(Digest.byteCount)
    }

    /// Whether a run has a plan, whatever it is worth.
    package static func isStored(_ stored: StoredRun) -> Bool {
        let path = WorkspaceFiles.directory + Array("/".utf8) + WorkspaceFiles.plan
        return (try? Directory(trustedPath: stored.runDirectory).isPresent(path)) == true
    }

    /// Reads a run's plan again, to show or apply its changes later. It is believed only if Bailey wrote it for this
    /// run of this project.
    package static func load(_ stored: StoredRun) throws(WorkspaceError) -> WorkspacePlan {
        let attempt = "read the workspace of the run"
        return try WorkspaceError.attempt(attempt) {
            let workspace = try Directory(trustedPath: stored.runDirectory).directory(WorkspaceFiles.directory)
            do {
                return try read(workspace, stored)
            } catch is BinaryReader.Damaged {
                throw stored.damaged(attempt)
            }
        }
    }

    private static func read(_ workspace: borrowing Directory, _ stored: StoredRun) throws -> WorkspacePlan {
        guard let bytes = try WorkspaceFiles.read(WorkspaceFiles.plan, in: workspace) else {
            throw BinaryReader.Damaged()
        }
        var reader = try BinaryReader(sealed: bytes, by: stored.planSeal, magic: magic)
        guard let run = RunID(try reader.readText()), run == stored.run,
            let mode = WorkspaceMode(rawValue: try reader.readText())
        else { throw BinaryReader.Damaged() }
        let reason = try reader.readOptional { (reader) throws(BinaryReader.Damaged) in try reader.readText() }
        let baseTime = try reader.readTime()
        let count = Int(try reader.read(UInt8.self))
        guard (1...WorkspaceLimits.treesMax).contains(count) else { throw BinaryReader.Damaged() }
        var trees: [Tree] = []
        for number in 0..<count { trees.append(try readTree(number, mode, &reader, workspace, stored)) }
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

    private static func readTree(
        _ number: Int,
        _ mode: WorkspaceMode,
        _ reader: inout BinaryReader,
        _ workspace: borrowing Directory,
        _ stored: StoredRun
    ) throws -> Tree {
        let lower = try reader.readText()
        // The first tree is the project; the others are where the plan says, which only Bailey can have written.
        guard number == 0 ? lower == stored.project : lower.utf8.first == UInt8(ascii: "/") else {
            throw BinaryReader.Damaged()
        }
        let userID = try reader.read(UInt32.self)
        let groupID = try reader.read(UInt32.self)
        let hasManifest = try reader.readFlag()
        let tag = try reader.readBytes()
        let indexBytes = try WorkspaceFiles.read(WorkspaceFiles.index(number), in: workspace)
        guard let indexBytes, indexBytes.suffix(Digest.byteCount).elementsEqual(tag),
            let index = TreeIndex(encoded: indexBytes, by: stored.indexSeal(lower))
        else { throw BinaryReader.Damaged() }
        var manifest: CopyManifest?
        if hasManifest {
            let bytes = try WorkspaceFiles.read(WorkspaceFiles.manifest(number), in: workspace)
            manifest = bytes.flatMap { CopyManifest(encoded: $0, by: stored.manifestSeal(number)) }
            guard manifest != nil else { throw BinaryReader.Damaged() }
        }
        return Tree(
            tree: stored.tree(number, lower: lower, mode: mode),
            ownerUserID: userID,
            ownerGroupID: groupID,
            index: index,
            manifest: manifest
        )
    }
}
