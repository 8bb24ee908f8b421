import Domain
import Files
import Glibc
import Workspace

/// Runs in projects that lie in one which a direct run has to itself. Those that began after it had it wait for it;
/// those that began before the project around had a `.bailey` know nothing of it, and are found here.
enum NestedRuns {
    /// The first nested project that somebody uses; nil if there is none.
    static func busy(_ plan: WorkspacePlan) throws -> RelativePath? {
        let root = try Directory(trustedPath: plan.project)
        for guarded in plan.live?.guards ?? [] where guarded.kind == .covered && !guarded.path.parent.isRoot {
            guard guarded.path.name == Array(ProjectDirectory.name.utf8) else { continue }
            guard let lock = try open(guarded.path, in: root) else { continue }
            guard try lock.lock(.exclusive, wait: false) else { return guarded.path.parent }
        }
        return nil
    }

    /// Waits for those who use a nested project, and says so.
    ///
    /// - Parameter waits: false to throw at once.
    static func wait(for nested: RelativePath, in project: String, waits: Bool, console: Console) throws {
        let holder = "other runs use \(nested), which lies in it, and a direct run needs it to itself"
        let hint = "Wait for them to end."
        try ProjectLock.announce(holder, of: project, waits: waits, hint: hint, console: console)
        guard let path = nested.appending(Array(ProjectDirectory.name.utf8)) else { return }
        _ = try open(path, in: Directory(trustedPath: project))?.lock(.exclusive, wait: true)
    }

    private static func open(_ path: RelativePath, in root: borrowing Directory) throws -> Descriptor? {
        try ProjectLock.open(elseNilFor: [ENOENT, ENOTDIR, ELOOP]) { () throws(SystemError) in
            try root.open(at: path.components + [ProjectLock.name], flags: ProjectLock.flags)
        }
    }
}
