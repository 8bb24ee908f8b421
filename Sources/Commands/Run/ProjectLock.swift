import Files
import Glibc

/// Says who uses a project's tree: runs on views of their own and applies share it, a direct run has it alone.
struct ProjectLock: ~Copyable {
    enum Use { case shared, alone }

    private static let name = Array("use.lock".utf8)
    private let file: Descriptor

    /// Takes the lock; waits for those who have it, and says so.
    ///
    /// - Parameter waits: false to throw at once.
    init(_ project: borrowing ProjectDirectory, _ use: Use, waits: Bool, console: Console) throws {
        let file = try project.handle.open(Self.name, flags: O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK, mode: 0o600)
        let kind: Descriptor.LockKind = use == .shared ? .shared : .exclusive
        if try !file.lock(kind, wait: false) {
            let holder =
                use == .shared
                ? "a direct run has it to itself" : "other runs use it, and a direct run needs it to itself"
            guard waits else {
                throw CommandError(
                    ExitStatus.failed,
                    "use the project \(project.project): \(holder)",
                    hint: "Wait for it to end; `bailey runs list` shows what runs."
                )
            }
            console.remark("waiting for the project: \(holder)")
            _ = try file.lock(kind, wait: true)
        }
        self.file = file
    }

    /// For a direct run's sandbox to hold as well: what a killed Bailey leaves behind still works on the project.
    var descriptor: Int32 { file.raw }
}
