import Glibc

/// A process that waits for its exit code, and ends with us at the latest.
final class FuzzChild {
    /// The real end, as its parent was told.
    private(set) var status: Int32?
    let process: pid_t
    private let input: Int32
    private(set) var isDead = false

    init() throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw FuzzFinding("no pipe can be made: errno \(errno)") }
        defer { close(ends[0]) }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO)
        let words = ["sh", "-c", "read code; exit $code"]
        var argv: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) } + [nil]
        defer { for word in argv { free(word) } }
        var environment: [UnsafeMutablePointer<CChar>?] = [nil]
        var child: pid_t = 0
        let code = posix_spawn(&child, "/bin/sh", &actions, nil, &argv, &environment)
        guard code == 0 else {
            close(ends[1])
            throw FuzzFinding("no process can be started: errno \(code)")
        }
        process = child
        input = ends[1]
    }

    deinit {
        end(code: nil)
        reap()
        close(input)
    }

    var isReaped: Bool { status != nil }

    /// Ends it by itself with a code, or by a signal; it is waited for later.
    func end(code: UInt8?) {
        guard !isDead else { return }
        isDead = true
        if let code {
            let line = Array("\(code)\n".utf8)
            if write(input, line, line.count) != line.count { kill(process, SIGKILL) }
        } else {
            kill(process, SIGKILL)
        }
        var information = siginfo_t()
        while waitid(P_PID, id_t(process), &information, WEXITED | WNOWAIT) != 0, errno == EINTR {}
    }

    func reap() {
        guard isDead, status == nil else { return }
        var found: Int32 = 0
        while waitpid(process, &found, 0) < 0, errno == EINTR {}
        status = found
    }
}
