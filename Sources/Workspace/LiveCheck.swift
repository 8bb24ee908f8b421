package import Domain
import Files
import Glibc
import Policy

/// What a look at a live tree found after a command worked on it.
package struct LiveReport: Sendable, Equatable {
    /// Files and links that were made, changed or removed since the start, by whomever.
    package internal(set) var counts = ChangeSet.Counts()
    /// What the gate would have asked about or denied. It is there already.
    package internal(set) var findings: [GateFinding] = []
    /// Where the look stopped; nil if everything was looked at.
    package internal(set) var incomplete: RelativePath?

    package var hasChanges: Bool { counts != ChangeSet.Counts() }
}

/// Looks at a live tree after the run, for what mounts cannot prevent: new git directories, new settings and secrets,
/// set-uid bits, links that leave. It is no gate: everything is in the project already, and the user's own changes
/// meanwhile look the same.
package struct LiveCheck {
    private let plan: WorkspacePlan
    private let inspector: any LiveInspector
    private let toolchainRoots: [String]
    private let index: TreeIndex
    private let guards: [RelativePath: WorkspaceGuard.Kind]
    private var entriesLeft = WorkspaceLimits.treeEntriesMax
    private var changes: [Change] = []
    private var report = LiveReport()

    /// The look is no use beyond a limit.
    private struct Stop: Error { let path: RelativePath }

    private init(_ plan: WorkspacePlan, _ inspector: any LiveInspector, _ toolchainRoots: [String]) {
        self.plan = plan
        self.inspector = inspector
        self.toolchainRoots = toolchainRoots
        index = plan.trees[0].index
        let guards = plan.live?.guards ?? []
        self.guards = Dictionary(guards.map { ($0.path, $0.kind) }, uniquingKeysWith: { first, _ in first })
    }

    /// Call it when every process of the sandbox is dead.
    package static func perform(
        _ plan: WorkspacePlan,
        inspector: any LiveInspector,
        toolchainRoots: [String]
    ) throws(WorkspaceError) -> LiveReport {
        try WorkspaceError.attempt("look at the project after the run") {
            var check = LiveCheck(plan, inspector, toolchainRoots)
            try check.reopenRoot()
            let root = try OpenTree(plan.trees[0]).lower.duplicate()
            do {
                try check.visit(root, path: .root, isMoved: false, isGit: false, depth: 0)
            } catch let stop as Stop {
                check.report.incomplete = stop.path
            }
            check.judge()
            return check.report
        }
    }

    /// A project that its owner cannot enter is one where neither they nor Bailey can work: its mode is put back.
    private mutating func reopenRoot() throws {
        guard let record = index.record(.root), let slash = plan.project.lastIndex(of: "/") else { return }
        let parent = try Directory(trustedPath: plan.project[..<slash] + "/")
        let name = Array(plan.project[plan.project.index(after: slash)...].utf8)
        let mode = try parent.status(name).mode
        guard mode != record.mode else { return }
        let change = Change(path: .root, kind: .mode, file: .directory, mode: mode, previousMode: record.mode)
        try add(change)
        guard record.mode & ~mode & 0o700 != 0 else { return }
        try parent.setModeSafely(name, record.mode, ifInode: record.inode)
    }

    /// - Parameters:
    ///   - isMoved: it, or a directory above, is not the one that was here at the start: all in it is new here.
    ///   - isGit: it, or a directory above, is called `.git` and new, which was told: only set-id bits still count.
    private mutating func visit(
        _ directory: borrowing Directory,
        path: RelativePath,
        isMoved: Bool,
        isGit: Bool,
        depth: Int
    ) throws {
        guard depth <= WorkspaceLimits.depthMax else { throw Stop(path: path) }
        guard let entries = try? directory.entries(atMost: entriesLeft) else { throw Stop(path: path) }
        entriesLeft -= entries.count
        let names = Set(entries.map(\.name))
        countDeleted(path, remaining: names)
        // What was one at the start is sealed and not looked at. All else that looks like one is searched: a command
        // would soon give its directories that shape.
        if !isGit, inspector.isGitDirectory(holding: names) {
            report.findings.append(inspector.finding(newGitPath: path, .directory))
        }
        for entry in entries {
            guard let child = path.appending(entry.name) else { continue }
            // Neither could be changed from inside, and what lies in them is not ours to tell.
            if let kind = guards[child], kind != .pinned { continue }
            guard let status = try? directory.statusIfPresent(entry.name) else { continue }
            let isNewGit = !isGit && inspector.isGitName(entry.name)
            if isNewGit { report.findings.append(inspector.finding(newGitPath: child, FileKind(status.kind))) }
            if status.kind == .directory, isGit || isNewGit {
                guard let inner = try? directory.directory(entry.name) else { continue }
                try visit(inner, path: child, isMoved: true, isGit: true, depth: depth + 1)
            } else if status.kind == .directory {
                try visitDirectory(child, entry.name, status, in: directory, isMoved: isMoved, depth: depth)
            } else if !index.existed(child) || isMoved || status.changed >= plan.baseTime {
                takeOffSetID(child, entry.name, status, in: directory)
                if !isGit, !isNewGit { try addLeaf(child, entry.name, status, in: directory) }
            }
        }
    }

    private mutating func visitDirectory(
        _ path: RelativePath,
        _ name: [UInt8],
        _ status: FileStatus,
        in parent: borrowing Directory,
        isMoved: Bool,
        depth: Int
    ) throws {
        let record = index.record(path)
        let isNew = isMoved || record?.inode != status.inode
        if isNew || record?.mode != status.mode {
            if !isNew { report.counts.changed += 1 }
            try add(
                Change(
                    path: path,
                    kind: isNew ? .created : .mode,
                    file: .directory,
                    mode: status.mode,
                    previousMode: isNew ? nil : record?.mode
                )
            )
        }
        guard let directory = try? parent.directory(name) else {
            report.findings.append(Self.closed(path))
            return
        }
        try visit(directory, path: path, isMoved: isNew, isGit: false, depth: depth + 1)
    }

    /// The filter lets no command make such a file. Should one have appeared all the same, nobody shall run it.
    private mutating func takeOffSetID(
        _ path: RelativePath,
        _ name: [UInt8],
        _ status: FileStatus,
        in directory: borrowing Directory
    ) {
        // A file of before whose directory alone was moved keeps what its owner gave it.
        guard status.kind == .file, status.mode & 0o6000 != 0, status.changed >= plan.baseTime else { return }
        let isDone = (try? directory.setModeSafely(name, status.mode & ~0o6000, ifInode: status.inode)) != nil
        report.findings.append(
            GateFinding(
                path: path,
                rule: RuleID("set-id-taken-off"),
                level: .deny,
                reason: isDone
                    ? "it had a set-uid or set-gid bit, which was taken off"
                    : "it has a set-uid or set-gid bit, which could not be taken off"
            )
        )
    }

    private mutating func addLeaf(
        _ path: RelativePath,
        _ name: [UInt8],
        _ status: FileStatus,
        in directory: borrowing Directory
    ) throws {
        let existed = index.existed(path)
        if existed { report.counts.changed += 1 } else { report.counts.created += 1 }
        try add(
            Change(
                path: path,
                kind: existed ? .changed : .created,
                file: FileKind(status.kind),
                size: status.kind == .file ? status.size : 0,
                mode: status.kind == .symlink ? nil : status.mode,
                linkTarget: status.kind == .symlink ? try? directory.linkTarget(name) : nil
            )
        )
    }

    private mutating func add(_ change: Change) throws {
        guard changes.count < WorkspaceLimits.liveChangesMax else { throw Stop(path: change.path) }
        changes.append(change)
    }

    /// Counts what was in a directory at the start and is not any more; of a directory, all that lay in it.
    private mutating func countDeleted(_ path: RelativePath, remaining names: Set<[UInt8]>) {
        guard let record = index.record(path) else { return }
        let present = Set(names.map(TreeIndex.hash))
        let children = Dictionary(
            record.children.map { (TreeIndex.hash(index.records[$0].name), $0) },
            uniquingKeysWith: { first, _ in first }
        )
        for hash in index.hashes[record.hashes] where !present.contains(hash) {
            report.counts.deleted += children[hash].map(filesBelow) ?? 1
        }
    }

    private func filesBelow(_ number: Int) -> Int {
        var count = 0
        var waiting = [number]
        while let next = waiting.popLast() {
            let record = index.records[next]
            count += record.hashes.count - record.children.count
            waiting += record.children
        }
        return count
    }

    private mutating func judge() {
        let environments = GateRules.newEnvironments(changes)
        let worktrees = guards.keys.filter { $0.name.map(inspector.isGitName) ?? false }.map(\.parent)
        report.findings += inspector.findings(changes, worktrees: worktrees, in: plan.trees[0].tree)
        let told = Set(report.findings.map(\.path))
        for change in changes {
            let named = GateRules.judge(change, toolchainRoots: toolchainRoots, newEnvironments: environments)
            if let named, named.level >= .ask { report.findings.append(named) }
            if let special = Self.special(change) { report.findings.append(special) }
            if !told.contains(change.path), isLedTo(change) { report.findings.append(Self.led(change.path)) }
        }
        report.findings.sort { $0.path < $1.path }
    }

    /// True for a change at or below what a guarded link leads to, and for one in the place of a directory above.
    private func isLedTo(_ change: Change) -> Bool {
        plan.live?.absentTargets.contains { target in
            change.path.isWithin(target) || (change.file != .directory && target.isWithin(change.path))
        } ?? false
    }

    private static func led(_ path: RelativePath) -> GateFinding {
        GateFinding(
            path: path,
            rule: RuleID("guarded-link-target"),
            level: .ask,
            reason: "a link among the guarded settings leads here, where nothing was at the start"
        )
    }

    private static func closed(_ path: RelativePath) -> GateFinding {
        GateFinding(
            path: path,
            rule: RuleID("closed-directory"),
            level: .ask,
            reason: "it cannot be listed, so that nobody knows what was put there"
        )
    }

    private static func special(_ change: Change) -> GateFinding? {
        guard change.file == .fifo || change.file == .socket else { return nil }
        return GateFinding(
            path: change.path,
            rule: RuleID("special-file"),
            level: .ask,
            reason: "a FIFO or socket was made: whoever opens it waits for, or talks to, whoever made it"
        )
    }
}
