import Domain
import Files
import Glibc
import Policy

/// Finds what must be guarded in a tree that a command will work on directly: git directories, settings that the gate
/// would ask about or deny, hidden paths, sockets and pipes that somebody outside may serve.
struct LiveGuards {
    private let tree: WorkspaceTree
    private let hidden: Set<RelativePath>
    private let inspector: any LiveInspector
    private var entriesLeft = WorkspaceLimits.treeEntriesMax
    private var worktrees: [RelativePath] = []
    private var sealedLinks: [RelativePath] = []
    private var sealed: Set<RelativePath> = []
    private var covered: Set<RelativePath>
    private var pinned: Set<RelativePath> = []
    private var absentTargets: Set<RelativePath> = []
    private var gitDirectoryCount = 0

    private init(_ tree: WorkspaceTree, _ index: TreeIndex, _ inspector: any LiveInspector) {
        self.tree = tree
        self.inspector = inspector
        hidden = Set(index.hidden)
        covered = hidden
    }

    /// The guards of the project, in the order in which they are mounted: a directory before what it holds.
    static func ofProject(
        _ tree: WorkspaceTree,
        _ index: TreeIndex,
        _ inspector: any LiveInspector
    ) throws -> LiveSummary {
        var search = LiveGuards(tree, index, inspector)
        let root = try Directory(trustedPath: tree.lower)
        try search.visit(root, path: .root, within: .nothing, depth: 0)
        try search.addPointedPlaces(root)
        var summary = LiveSummary()
        summary.guards = try search.guards()
        summary.innerGitDirectories = search.gitDirectoryCount
        summary.absentTargets = search.absentTargets.sorted()
        return summary
    }

    /// The guards of a tree that is shown read-only as a whole.
    static func ofReadOnlyTree(
        _ tree: WorkspaceTree,
        _ index: TreeIndex,
        _ inspector: any LiveInspector
    ) throws -> [WorkspaceGuard] {
        var search = LiveGuards(tree, index, inspector)
        try search.visit(Directory(trustedPath: tree.lower), path: .root, within: .git, depth: 0)
        search.sealed = [.root]
        return try search.guards()
    }

    /// What seals a directory or one above it, so that nothing in it can be changed.
    private enum Seal {
        case nothing, git
        /// What lies there is settings or the like: so is what its links lead to.
        case settings
    }

    private mutating func visit(
        _ directory: borrowing Directory,
        path: RelativePath,
        within outer: Seal,
        depth: Int
    ) throws {
        guard depth <= WorkspaceLimits.depthMax else {
            throw WorkspaceError(.tooLarge, "guard the project: its directories lie too deep", path: path)
        }
        let entries = try directory.entries(atMost: entriesLeft, at: path, "guard the project")
        entriesLeft -= entries.count
        var seal = outer
        if seal == .nothing, inspector.isGitDirectory(holding: Set(entries.map(\.name))) {
            guard !path.isRoot else {
                throw WorkspaceError(
                    .unusable,
                    "guard the project: it is a git directory itself, which no command may change directly",
                    hint: "Use --workspace overlay."
                )
            }
            // One that is called .git is sealed and counted already.
            gitDirectoryCount += 1
            sealed.insert(path)
            seal = .git
        }
        for entry in entries {
            guard let child = path.appending(entry.name), !hidden.contains(child) else { continue }
            guard let kind = try entry.kind ?? directory.statusIfPresent(entry.name)?.kind else { continue }
            if kind == .socket || kind == .fifo {
                // Its inode is the host's: whoever listens there would be reached from inside.
                covered.insert(child)
                continue
            }
            let own = seal == .nothing ? self.seal(child, entry.name, in: path) : seal
            // A link among git's own files is followed by who understands them.
            if kind == .symlink, own == .settings || (own == .git && seal == .nothing) { sealedLinks.append(child) }
            guard kind == .directory else { continue }
            try visit(directory.directory(entry.name), path: child, within: own, depth: depth + 1)
        }
    }

    /// Seals what git or another program takes orders from.
    private mutating func seal(_ path: RelativePath, _ name: [UInt8], in parent: RelativePath) -> Seal {
        let isGit = inspector.isGitName(name)
        if isGit {
            gitDirectoryCount += 1
            worktrees.append(parent)
        } else if GateRules.guardingRule(for: path) == nil {
            return .nothing
        }
        sealed.insert(path)
        return isGit ? .git : .settings
    }

    /// What git's configuration and sealed links lead to is as good as what they are, and may hold links in turn.
    private mutating func addPointedPlaces(_ root: borrowing Directory) throws {
        var places = try pointedPlaces(worktrees)
        while !places.isEmpty {
            sealedLinks = []
            for place in places where !place.path.isRoot { try add(place, root) }
            places = sealedLinks.isEmpty ? [] : try pointedPlaces([])
        }
    }

    private mutating func add(_ place: PointedPlace, _ root: borrowing Directory) throws {
        let path = place.path
        guard let status = try Self.status(path, in: root) else {
            absentTargets.insert(path)
            return
        }
        guard status.kind == .directory else {
            sealed.insert(path)
            return
        }
        guard !place.isExact else {
            pinned.insert(path)
            return
        }
        // What is sealed or hidden already was searched, or is nobody's to see.
        guard !isWithinSealed(path), !isCovered(path) else { return }
        sealed.insert(path)
        try visit(root.directory(at: path.components), path: path, within: .settings, depth: path.components.count)
    }

    private func pointedPlaces(_ worktrees: [RelativePath]) throws -> [PointedPlace] {
        do {
            return try inspector.pointedPlaces(worktrees: worktrees, links: sealedLinks, in: tree)
        } catch let error as any UserFacingError {
            throw WorkspaceError(
                .unusable,
                "guard the project: \(error.message)",
                hint: "What git would do there is not known: mend the repository, or use --workspace overlay."
            )
        }
    }

    /// Nil for what is not there without following a link.
    private static func status(_ path: RelativePath, in root: borrowing Directory) throws -> FileStatus? {
        do {
            return try root.status(at: path.components)
        } catch  where [ENOENT, ENOTDIR, ELOOP].contains(error.code) {
            return nil
        }
    }

    private func guards() throws -> [WorkspaceGuard] {
        var guards: [WorkspaceGuard] = []
        var pins = pinned
        for path in sealed where !path.isRoot && !isWithinSealed(path.parent) && !isCovered(path) {
            guards.append(WorkspaceGuard(.sealed, path))
            addParents(of: path, to: &pins)
        }
        for path in covered where !isCovered(path.parent) {
            guards.append(WorkspaceGuard(.covered, path))
            if !isWithinSealed(path) { addParents(of: path, to: &pins) }
        }
        for path in pins where !isWithinSealed(path) && !isCovered(path) {
            guards.append(WorkspaceGuard(.pinned, path))
        }
        guards.sort { $0.path < $1.path }
        try check(guards)
        return guards
    }

    private func addParents(of path: RelativePath, to pins: inout Set<RelativePath>) {
        var parent = path.parent
        while !parent.isRoot, pins.insert(parent).inserted { parent = parent.parent }
    }

    private func isWithinSealed(_ path: RelativePath) -> Bool { Self.isWithin(sealed, path) }

    private func isCovered(_ path: RelativePath) -> Bool { Self.isWithin(covered, path) }

    private static func isWithin(_ places: Set<RelativePath>, _ path: RelativePath) -> Bool {
        var current = path
        while true {
            if places.contains(current) { return true }
            if current.isRoot { return false }
            current = current.parent
        }
    }

    private func check(_ guards: [WorkspaceGuard]) throws {
        let bytes = guards.reduce(0) { $0 + $1.path.bytes.count + tree.lower.utf8.count }
        let countMax = WorkspaceLimits.guardsMax
        guard guards.count <= countMax, absentTargets.count <= countMax, bytes <= WorkspaceLimits.guardBytesMax else {
            throw WorkspaceError(
                .tooLarge,
                "guard the project: it holds \(guards.count) places that need a mount of their own, "
                    + "more than \(WorkspaceLimits.guardsMax) (or their paths are too long)",
                hint: "Use --workspace overlay, which needs none."
            )
        }
        for place in guards {
            let length = tree.lower.utf8.count + 1 + place.path.bytes.count
            guard String(validating: place.path.bytes, as: UTF8.self) != nil, length < WorkspaceLimits.pathBytesMax
            else {
                throw WorkspaceError(
                    .unusable,
                    "guard the project: \(place.path) cannot be mounted over: its path is too long or not valid UTF-8",
                    path: place.path,
                    hint: "Use --workspace overlay."
                )
            }
        }
    }
}
