import Files
import Glibc

/// Says who uses a project's tree: runs on views of their own and applies share it, a direct run has it alone. Whoever
/// uses it holds the projects shared that it lies in.
struct ProjectLock: ~Copyable {
    enum Use { case shared, alone }

    static let name = Array("use.lock".utf8)
    static let flags = O_RDWR | O_NOFOLLOW | O_NONBLOCK
    private let ancestors: AncestorLocks
    /// For a direct run's sandbox to hold as well: what a killed Bailey leaves behind still works on the project.
    let descriptor: Int32

    /// Takes the lock; waits for those who have it, and says so.
    ///
    /// - Parameter waits: false to throw at once.
    init(_ project: borrowing ProjectDirectory, _ use: Use, waits: Bool, console: Console) throws {
        let path = project.project
        var around = try AncestorLocks.take(around: path, waits: waits, console: console)
        var own = try Self.take(project, use, waits: waits, console: console)
        // A project around that was made meanwhile did not know of us, nor we of it.
        while AncestorLocks.find(around: path) != around.projects {
            _ = close(own)
            around = try AncestorLocks.take(around: path, waits: waits, console: console)
            own = try Self.take(project, use, waits: waits, console: console)
        }
        ancestors = around
        descriptor = own
    }

    deinit { _ = close(descriptor) }

    private static func take(
        _ project: borrowing ProjectDirectory,
        _ use: Use,
        waits: Bool,
        console: Console
    ) throws -> Int32 {
        let file = try project.handle.open(name, flags: flags | O_CREAT, mode: 0o600)
        let kind: Descriptor.LockKind = use == .shared ? .shared : .exclusive
        if try !file.lock(kind, wait: false) {
            let holder =
                use == .shared
                ? "a direct run has it to itself" : "other runs use it, and a direct run needs it to itself"
            let hint = "Wait for it to end; `bailey runs list` shows what runs."
            try announce(holder, of: project.project, waits: waits, hint: hint, console: console)
            _ = try file.lock(kind, wait: true)
        }
        return file.release()
    }

    /// Says what a project is waited for, or throws it.
    static func announce(
        _ holder: String,
        of project: String,
        waits: Bool,
        hint: String,
        console: Console
    ) throws(CommandError) {
        guard waits else { throw CommandError(ExitStatus.failed, "use the project \(project): \(holder)", hint: hint) }
        console.remark("waiting for the project: \(holder)")
    }

    /// Opens another project's lock file; nil for an error that says that nobody can have taken it.
    static func open(
        elseNilFor nobody: [Int32],
        _ open: () throws(SystemError) -> Descriptor
    ) throws(SystemError) -> Descriptor? {
        do {
            return try open()
        } catch {
            guard nobody.contains(error.code) else { throw error }
            return nil
        }
    }
}
