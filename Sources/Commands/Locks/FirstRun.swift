import Files
import Glibc

/// The right to make a project's `.bailey`. One at a time of the caller's projects has it, and only while no direct run
/// has a project around to itself: a direct run covers the `.bailey` directories that it finds at its start, and its
/// command could write whatever it likes into one that is made later.
final class FirstRun {
    private let register: Int32
    private let ancestors: AncestorLocks

    private init(_ register: Int32, _ ancestors: AncestorLocks) {
        self.register = register
        self.ancestors = ancestors
    }

    deinit { _ = close(register) }

    /// Nil for a project that has its `.bailey`: a direct run around covers that one.
    static func begin(
        _ project: String,
        state: borrowing StateDirectory,
        waits: Bool,
        console: Console
    ) throws -> FirstRun? {
        var status = stat()
        while lstat(project + "/" + ProjectDirectory.name, &status) != 0 {
            let register = try state.directory("projects").release()
            let attempt = FirstRun(register, try lock(register, project))
            guard let busy = attempt.ancestors.busy else { return attempt }
            // Others must not wait for us meanwhile.
            _ = flock(register, LOCK_UN)
            try AncestorLocks.wait(for: busy, around: project, waits: waits, console: console)
        }
        return nil
    }

    /// In this order: whoever makes a project around, and takes it alone, either finds ours or is found by us.
    private static func lock(_ register: Int32, _ project: String) throws -> AncestorLocks {
        while flock(register, LOCK_EX) != 0 {
            guard errno == EINTR else { throw SystemError("flock", code: errno) }
        }
        return try AncestorLocks(around: project)
    }
}
