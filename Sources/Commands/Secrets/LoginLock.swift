import BrokerLink
import Domain
import Files
import Glibc

/// Held while a login is renewed: by one of all runs of the user, and by none while Claude Code itself does that. It is
/// gone with the process.
struct LoginLock: ~Copyable {
    private let file: Descriptor
    /// The directory by which Claude Code locks (`.oauth_refresh.lock`, stale after 60 s without a sign of life).
    private let agentLock: String?

    private static let agentStaleSeconds = 60

    /// Nil where somebody else has it.
    static func take(_ place: LoginPlace, _ state: borrowing Directory) throws(SystemError) -> LoginLock? {
        let name = Array("\(place.form.rawValue).lock".utf8)
        let file = try state.open(name, flags: O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600)
        guard flock(file.raw, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            if code == EWOULDBLOCK { return nil }
            throw SystemError("flock", code: code)
        }
        guard place.form == .claudeLogin else { return LoginLock(file: file, agentLock: nil) }
        let lock =
            String(place.path[..<(place.path.lastIndex(of: "/") ?? place.path.startIndex)]) + "/.oauth_refresh.lock"
        if mkdir(lock, 0o700) == 0 { return LoginLock(file: file, agentLock: lock) }
        // Whoever cannot make a directory there cannot write the login either, which is said when it is tried.
        guard errno == EEXIST else { return LoginLock(file: file, agentLock: nil) }
        var status = stat()
        guard lstat(lock, &status) == 0 else { return nil }
        guard time(nil) - status.st_mtim.tv_sec > agentStaleSeconds, rmdir(lock) == 0, mkdir(lock, 0o700) == 0 else {
            return nil
        }
        return LoginLock(file: file, agentLock: lock)
    }

    private init(file: consuming Descriptor, agentLock: String?) {
        self.file = file
        self.agentLock = agentLock
    }

    deinit { if let agentLock { rmdir(agentLock) } }
}
