import Files
import Glibc

/// The projects that another one lies in, held shared: while one of them is worked on directly, nothing below it is
/// safe from the command that does, not even a `.bailey` that is made meanwhile.
final class AncestorLocks {
    /// The projects around, the outermost first.
    let projects: [String]
    /// The first that a direct run has to itself; nil if all are held.
    private(set) var busy: String?
    private var files: [Int32] = []

    /// Takes what can be had at once.
    init(around project: String) throws {
        projects = Self.find(around: project)
        for ancestor in projects {
            guard let file = try Self.open(ancestor) else { continue }
            let isHeld = try file.lock(.shared, wait: false)
            files.append(file.release())
            guard isHeld else {
                busy = ancestor
                return
            }
        }
    }

    deinit { for file in files { _ = close(file) } }

    /// Takes them all; waits for those who have one to themselves, and says so.
    ///
    /// - Parameter waits: false to throw at once.
    static func take(around project: String, waits: Bool, console: Console) throws -> AncestorLocks {
        while true {
            let locks = try AncestorLocks(around: project)
            guard let busy = locks.busy else { return locks }
            try wait(for: busy, around: project, waits: waits, console: console)
        }
    }

    /// Waits until nobody has a project to itself any more.
    static func wait(for ancestor: String, around project: String, waits: Bool, console: Console) throws {
        let holder = "a direct run has \(ancestor), where it lies, to itself"
        let hint = "Wait for it to end; `bailey runs list --project \(ancestor)` shows what runs."
        try ProjectLock.announce(holder, of: project, waits: waits, hint: hint, console: console)
        _ = try open(ancestor)?.lock(.shared, wait: true)
    }

    /// Directories above that hold a `.bailey` of the caller's own.
    static func find(around project: String) -> [String] {
        var found: [String] = []
        var path = project[...]
        while let slash = path.lastIndex(of: "/"), slash > path.startIndex {
            path = path[..<slash]
            var status = stat()
            let directory = "\(path)/\(ProjectDirectory.name)"
            guard lstat(directory, &status) == 0, status.st_mode & S_IFMT == S_IFDIR, status.st_uid == geteuid(),
                status.st_mode & 0o077 == 0, access(directory + "/id", F_OK) == 0
            else { continue }
            found.append(String(path))
        }
        return found.reversed()
    }

    /// Nil where it cannot be: no direct run works on a project that is gone, or on a file system that is read-only.
    private static func open(_ project: String) throws -> Descriptor? {
        try ProjectLock.open(elseNilFor: [ENOENT, EROFS]) { () throws(SystemError) in
            let directory = try Directory(trustedPath: project + "/" + ProjectDirectory.name)
            return try directory.open(ProjectLock.name, flags: ProjectLock.flags | O_CREAT, mode: 0o600)
        }
    }
}
