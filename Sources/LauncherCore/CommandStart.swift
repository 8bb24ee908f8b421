import CLinux
import Glibc

/// The last steps, in the process that becomes the command: give everything up, prove it from inside, execute.
struct CommandStart {
    let plan: LaunchPlanView
    let scratch: Scratch
    let channel: Channel
    /// The terminal's slave side, or -1.
    let terminal: Int32

    func main() -> Never {
        do throws(LaunchFailure) {
            try confine()
            try proveWalls()
            channel.report(.ready)
            try execute()
        } catch {
            channel.report(error)
            bailey_exit(125)
        }
    }

    private func confine() throws(LaunchFailure) {
        bailey_reset_signals()
        guard setsid() >= 0 else { throw LaunchFailure(.terminal, code: errno) }
        if terminal >= 0, bailey_take_terminal(terminal) != 0 { throw LaunchFailure(.terminal, code: errno) }
        // Everything but standard input, output and error closes with the execution; the status socket serves until
        // then.
        guard bailey_close_range(3, UInt32.max, 4 /* CLOSE_RANGE_CLOEXEC */) == 0 else {
            throw LaunchFailure(.privileges, code: errno)
        }
        guard bailey_join_session_keyring() == 0 else { throw LaunchFailure(.keyring, code: errno) }
        for row in 0..<plan.limitCount {
            let limit = plan.limit(row)
            guard bailey_set_rlimit(Int32(limit.resource), limit.soft, limit.hard) == 0 else {
                throw LaunchFailure(.limits, code: errno)
            }
        }
        let ruleset = try makeRuleset()
        guard chdir(plan.workingDirectory) == 0 else {
            throw LaunchFailure(.workingDirectory, code: errno, path: plan.workingDirectory)
        }
        guard bailey_drop_capabilities() == 0, bailey_no_new_privileges() == 0 else {
            throw LaunchFailure(.privileges, code: errno)
        }
        guard bailey_landlock_restrict(ruleset) == 0 else { throw LaunchFailure(.landlock, code: errno) }
        observe()
        guard bailey_seccomp_filter(plan.filter, plan.filterBytes) == 0 else {
            throw LaunchFailure(.seccomp, code: errno)
        }
    }

    /// Lets the supervisor see executions, connections and binds from here on. It is a filter of its own, loaded before
    /// the wall: the wall stays whole where there can be no listener (somebody outside has one already), because
    /// observing is no wall; and the wall then refuses everybody behind it a listener of their own. The descriptor goes
    /// at once, so that nobody but the supervisor ever answers.
    private func observe() {
        let listener = bailey_listener_install()
        channel.reportObservation(listener, code: listener < 0 ? errno : 0)
        if listener >= 0 { close(listener) }
    }

    private func makeRuleset() throws(LaunchFailure) -> Int32 {
        let abi = bailey_landlock_abi()
        guard abi >= 1 else { throw LaunchFailure(.landlock, code: errno) }
        let ruleset = bailey_landlock_create(abi)
        guard ruleset >= 0 else { throw LaunchFailure(.landlock, code: errno) }
        for row in 0..<plan.permissionCount {
            let permission = plan.permission(row)
            let place = bailey_open(permission.path, BAILEY_O_PATH, 0)
            if place < 0, errno == ENOENT { continue }
            var status = stat()
            guard place >= 0, fstat(place, &status) == 0 else {
                throw LaunchFailure(.landlock, code: errno, path: permission.path)
            }
            let isDirectory: Int32 = status.st_mode & S_IFMT == S_IFDIR ? 1 : 0
            guard bailey_landlock_allow(ruleset, abi, place, permission.access, isDirectory) == 0 else {
                throw LaunchFailure(.landlock, code: errno, path: permission.path)
            }
            close(place)
        }
        return ruleset
    }

    /// A layer that is silently off has been shipped by others: each wall is tried before foreign code runs.
    private func proveWalls() throws(LaunchFailure) {
        guard bailey_probe_open(plan.canary) == 0 else {
            throw LaunchFailure(.selfTestOpen, code: 0, path: plan.canary)
        }
        // /dev is writable but for Landlock: only that layer refuses this.
        guard bailey_probe_create(constant("/dev/.bailey-self-test")) == 0,
            bailey_probe_create(constant("/usr/.bailey-self-test")) == 0
        else { throw LaunchFailure(.selfTestCreate, code: errno) }
        guard bailey_probe_connect() == 0 else { throw LaunchFailure(.selfTestConnect, code: errno) }
        guard bailey_probe_mount() == 0 else { throw LaunchFailure(.selfTestMount, code: errno) }
        guard bailey_probe_privileges(plan.insideUserID) == 0 else {
            throw LaunchFailure(.selfTestPrivileges, code: errno)
        }
    }

    /// Tries each candidate as a shell would: the first that exists decides.
    private func execute() throws(LaunchFailure) -> Never {
        var refused: Int32 = 0
        var refusedPath: UnsafePointer<CChar>?
        for row in 0..<plan.candidateCount {
            let path = plan.candidate(row)
            channel.report(.attempting, number: Int64(row))
            _ = bailey_execve(path, scratch.arguments, scratch.environment)
            let code = errno
            if code == ENOENT || code == ENOTDIR {
                // A script whose interpreter is missing exists all the same.
                var status = stat()
                guard stat(path, &status) == 0 else { continue }
            }
            if refusedPath == nil {
                refused = code
                refusedPath = path
            }
            if code != EACCES { break }
        }
        guard let refusedPath else { throw LaunchFailure(.findCommand, code: ENOENT, path: plan.argument(0)) }
        throw LaunchFailure(.execute, code: refused, path: refusedPath)
    }
}
