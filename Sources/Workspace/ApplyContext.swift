import Domain
import Files
import Glibc

/// The opened directories of one apply.
final class ApplyContext {
    let plan: WorkspacePlan
    let workspace: Directory
    let trees: [OpenTree]
    /// By tree; made by ``makeStaging()`` or found by ``openStaging(besideTrees:)``.
    private(set) var staging: [StagingArea] = []
    private(set) var besideTrees: [Bool] = []
    let checkpoint: (StaticString) -> Void
    /// Somebody who lives may have files of the command's open: none of them becomes a file of the tree.
    var layersAreShared = false
    private var changedTrees: [Int: ChangedTree] = [:]

    init(_ plan: WorkspacePlan, runDirectory: String, checkpoint: @escaping (StaticString) -> Void) throws {
        self.plan = plan
        self.checkpoint = checkpoint
        workspace = try Directory(trustedPath: runDirectory).directory(WorkspaceFiles.directory)
        trees = try plan.trees.map { try OpenTree($0) }
    }

    /// What the command left in a tree; there is nothing any more once an apply has come to its end.
    func changed(_ tree: OpenTree) throws(SystemError) -> ChangedTree {
        if let known = changedTrees[tree.source.tree.index] { return known }
        let changed = try ChangedTree(tree.source.tree)
        changedTrees[tree.source.tree.index] = changed
        return changed
    }

    func makeStaging() throws {
        try removeStaging()
        try workspace.makeDirectory(WorkspaceFiles.staging, mode: 0o700)
        let base = try workspace.directory(WorkspaceFiles.staging)
        let device = try base.status([]).device
        for tree in trees {
            let isBeside = try tree.lower.status([]).device != device
            besideTrees.append(isBeside)
            if isBeside {
                let name = StagingArea.nameBeside(plan.run)
                try tree.lower.makeDirectory(name, mode: 0o700)
                staging.append(try StagingArea(makeIn: tree.lower.directory(name)))
            } else {
                let name = WorkspaceFiles.tree(tree.source.tree.index)
                try base.makeDirectory(name, mode: 0o700)
                staging.append(try StagingArea(makeIn: base.directory(name)))
            }
        }
    }

    /// Adds every directory that leads to what is staged.
    func addStaging(to batch: SyncBatch) throws {
        let base = try workspace.directory(WorkspaceFiles.staging)
        for (index, area) in staging.enumerated() {
            let tree = trees[index]
            try batch.add(area.new.duplicate())
            if besideTrees[index] {
                try batch.add(tree.lower.directory(StagingArea.nameBeside(plan.run)))
                try batch.add(tree.lower.duplicate())
            } else {
                try batch.add(base.directory(WorkspaceFiles.tree(tree.source.tree.index)))
            }
        }
        try batch.add(base)
    }

    /// Finds the staging directories of an apply that was interrupted; false if one is missing.
    func openStaging(besideTrees: [Bool]) throws -> Bool {
        guard besideTrees.count == trees.count else { return false }
        self.besideTrees = besideTrees
        for (tree, isBeside) in zip(trees, besideTrees) {
            let area: StagingArea?
            if isBeside {
                area = try staging(in: tree.lower, at: [StagingArea.nameBeside(plan.run)])
            } else {
                area = try staging(
                    in: workspace,
                    at: [WorkspaceFiles.staging, WorkspaceFiles.tree(tree.source.tree.index)]
                )
            }
            guard let area else { return false }
            staging.append(area)
        }
        return true
    }

    private func staging(in root: borrowing Directory, at path: [[UInt8]]) throws -> StagingArea? {
        guard let base = try root.directoryIfPresent(at: path) else { return nil }
        return try StagingArea(in: base)
    }

    /// Removes everything that was staged or kept for the way back.
    func removeStaging() throws {
        try workspace.removeTree(WorkspaceFiles.staging)
        for tree in trees { try tree.lower.removeTree(StagingArea.nameBeside(plan.run)) }
        staging = []
        besideTrees = []
    }

    /// Keeps old content that could not be put back, where nothing removes it but a discard.
    func keep(_ name: [UInt8], from directory: borrowing Directory, for operation: ApplyOperation) throws {
        _ = try workspace.makeDirectoryIfAbsent(WorkspaceFiles.kept, mode: 0o700)
        let kept = try workspace.directory(WorkspaceFiles.kept)
        let label = ".\(operation.tree).\(operation.path.name?.printable ?? "root")"
        let keptName = Array((name + Array(label.utf8)).prefix(Directory.Limits.nameBytesMax)).map {
            $0 == UInt8(ascii: "/") ? UInt8(ascii: "_") : $0
        }
        guard besideTrees[operation.tree] else {
            return try directory.rename(name, to: kept, keptName, rule: .failIfPresent)
        }
        let status = try directory.status(name)
        switch status.kind {
        case .file:
            let source = try directory.open(name, flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
            let copy = try kept.open(keptName, flags: O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
            _ = try FileCopy.copy(source, to: copy)
            try copy.synchronize()
        case .symlink:
            try kept.makeSymbolicLink(keptName, to: directory.linkTarget(name))
        case .directory, .fifo, .socket, .characterDevice, .blockDevice:
            // Empty by then, or without content.
            return
        }
    }
}
