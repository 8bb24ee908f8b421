import Domain
import Files
import Git
import Workspace

/// Says of a changed tree what must be true of its listing and its judgement, by the plainest reading.
final class GateOracle {
    private let plan: WorkspacePlan
    private let lower: Directory
    private let changed: Directory

    private let inspector: any ChangeInspector

    init(_ plan: WorkspacePlan, inspector: any ChangeInspector = GitInspector(verifyPack: nil)) throws {
        self.plan = plan
        self.inspector = inspector
        lower = try Directory(trustedPath: plan.project)
        changed = try Directory(trustedPath: plan.workspaceTrees[0].changed)
    }

    func check() throws {
        let limits = ResourceLimits()
        let set = try plan.listChanges(limits: limits)
        try promise(try plan.listChanges(limits: limits) == set, "two listings differ")
        let stored = StoredRun(run: plan.run, project: plan.project, runDirectory: "", seal: WorkspaceBed.seal)
        try promise(ChangeSet(encoded: set.encoded(in: stored), in: stored) == set, "a change set changed on its way")
        let listed = Set(set.changes.filter { $0.kind != .deleted }.map(\.path))
        try expectListed(in: changed.duplicate(), at: .root, isNew: false, listed)
        let report = try judge(set)
        let again = try judge(set)
        try promise(
            report.changeSet == again.changeSet && report.findings == again.findings
                && report.conflicts == again.conflicts,
            "two judgements differ"
        )
        let denied = Set(report.findings.filter { $0.level == .deny }.map(\.path))
        for change in report.changeSet.changes where change.kind != .deleted {
            guard let reason = Self.forbidden(change), !denied.contains(change.path) else { continue }
            throw FuzzFinding("the gate lets in \(change.path), \(reason)")
        }
    }

    private func judge(_ set: ChangeSet) throws -> GateReport {
        try CommitGate(plan, limits: ResourceLimits()).judge(set, inspector: inspector)
    }

    /// Everything that is there and was not before is listed.
    private func expectListed(
        in directory: borrowing Directory,
        at path: RelativePath,
        isNew: Bool,
        _ listed: Set<RelativePath>
    ) throws {
        for entry in try directory.entries() {
            guard let child = path.appending(entry.name) else { throw FuzzFinding("an entry has no name") }
            let status = try directory.status(entry.name)
            let isWhiteout =
                plan.workspaceTrees[0].isOverlay && status.kind == .characterDevice && status.deviceNumber == 0
            if isWhiteout { continue }
            let isNewChild = isNew || (try? lower.status(at: child.components)) == nil
            try promise(!isNewChild || listed.contains(child), "the listing leaves out \(child)")
            if status.kind == .directory, try isOpen(status) {
                try expectListed(in: directory.directory(entry.name), at: child, isNew: isNewChild, listed)
            }
        }
    }

    private func isOpen(_ status: FileStatus) throws -> Bool { status.mode & 0o500 == 0o500 }

    /// Why a change may never enter a project; nil where the plainest reading has nothing against it.
    private static func forbidden(_ change: Change) -> String? {
        let names = change.path.components.map { String(decoding: $0, as: UTF8.self).lowercased() }
        let dangerous: Set<String> = [
            "hooks", "config", "config.worktree", "info", "modules", "worktrees", "commondir", "gitdir", "alternates",
        ]
        for (index, name) in names.enumerated() where name == ".git" {
            if index + 1 == names.count { return "a git directory or the file that names one" }
            if dangerous.contains(names[index + 1]) { return "which git obeys" }
        }
        if names.contains(".bailey") || names == ["bailey.yml"] { return "which is Bailey's" }
        if change.path.components.contains(where: { String(validating: $0, as: UTF8.self) == nil }) {
            return "whose name is no text"
        }
        if names.contains(where: { $0.unicodeScalars.contains { $0.value < 0x20 || $0.value == 0x202E } }) {
            return "whose name steers a terminal"
        }
        switch change.file {
        case .device: return "a device"
        case .file: return (change.mode ?? 0) & 0o6000 != 0 ? "which takes its owner's rights" : nil
        case .symlink: return leaves(change) ? "a link out of the tree" : nil
        default: return nil
        }
    }

    private static func leaves(_ change: Change) -> Bool {
        let target = change.linkTarget ?? []
        let names = target.split(separator: UInt8(ascii: "/")).map { String(decoding: $0, as: UTF8.self) }
        if target.first == UInt8(ascii: "/") {
            let system = ["usr", "opt", "bin", "sbin", "lib", "lib32", "lib64", "libx32"]
            return names.contains("..") || !system.contains(names.first ?? "")
        }
        var depth = change.path.components.count - 1
        for name in names where name != "." {
            depth += name == ".." ? -1 : 1
            if depth < 0 { return true }
        }
        return false
    }
}
