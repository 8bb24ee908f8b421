import Files
import Glibc

/// Held by the process that works on a run, so that others see that it lives; a dead process's lock is gone.
struct RunLock: ~Copyable {
    private static let name = Array("lock".utf8)
    /// Somebody who only looks whether a run lives holds its lock for a moment, and so does a child that is just being
    /// started: the lock is tried again for this long.
    private static let attemptsMax = 20
    private static let pauseMicroseconds: UInt32 = 10_000
    private let file: Descriptor

    /// Takes the lock, or throws that somebody works on the run.
    init(_ run: borrowing RunDirectory) throws {
        let file = try run.handle.open(Self.name, flags: O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600)
        for _ in 1..<Self.attemptsMax where flock(file.raw, LOCK_EX | LOCK_NB) != 0 { usleep(Self.pauseMicroseconds) }
        guard flock(file.raw, LOCK_EX | LOCK_NB) == 0 else {
            throw CommandError(
                ExitStatus.negative,
                "work on run \(run.run): another Bailey is working on it",
                hint: "Wait for it to end."
            )
        }
        _ = ftruncate(file.raw, 0)
        try FileContent.write(Array("\(getpid())\n".utf8), to: file.raw)
        self.file = file
    }

    /// For the sandbox to hold as well: a killed Bailey's run is locked until the last of its processes is gone.
    var descriptor: Int32 { file.raw }

    deinit { _ = flock(file.raw, LOCK_UN) }

    /// True while somebody of the run lives, be it only the dying sandbox of a killed Bailey.
    static func isTaken(_ run: borrowing Directory) throws -> Bool {
        guard try run.statusIfPresent(name) != nil else { return false }
        let file = try run.open(name, flags: O_RDONLY | O_NOFOLLOW)
        return flock(file.raw, LOCK_SH | LOCK_NB) != 0
    }

    /// True while a Bailey works on the run; not for the moment in which a killed one's sandbox is still dying.
    static func isHeld(_ run: borrowing RunDirectory) throws -> Bool {
        guard try run.handle.statusIfPresent(name) != nil else { return false }
        let file = try run.handle.open(name, flags: O_RDONLY | O_NOFOLLOW)
        guard flock(file.raw, LOCK_SH | LOCK_NB) != 0 else { return false }
        let text = String(decoding: try FileContent.read(file, bytesMax: 64), as: UTF8.self)
        guard let owner = Int32(text.trimmingNewline) else { return true }
        return kill(owner, 0) == 0 || errno == EPERM
    }
}
