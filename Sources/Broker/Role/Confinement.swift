import CLinux
import Glibc

/// Takes from the broker's process what it does not need, before it reads a byte from any network: it holds what
/// strangers send, so it is built as if they had broken in.
///
/// What is left is the sockets that it is handed, connections to the outside, memory and threads: no files, no other
/// process, no new programs, no socket of another family.
struct Confinement {
    /// Why the process could not be confined.
    struct Failure: Error, CustomStringConvertible {
        let description: String

        init(_ attempt: String, code: Int32 = errno) {
            description = "confine the broker: \(attempt): \(String(cString: strerror(code)))"
        }
    }

    /// Whom root's broker becomes: nobody else's number.
    let user: UInt32?
    /// The supervisor's end of it tells whether the supervisor lives.
    let link: Int32

    /// More memory than any number of connections that the limits allow takes.
    private static let dataBytesMax: UInt64 = 4 << 30
    /// What the limits of one sandbox need: two sockets for each connection, and what others there are.
    private static let descriptorsMax: UInt64 = 47_000

    /// - Returns: the walls that hold, each tried.
    func enter() throws(Failure) -> [String] {
        _ = bailey_close_range(UInt32(link) + 1, .max, 0)
        guard bailey_join_session_keyring() == 0 else { throw Failure("leave the keyring") }
        if getuid() == 0 {
            guard let user, bailey_become(user, user) == 0 else { throw Failure("become another user", code: EPERM) }
        }
        var walls = ["no-files", "own-system-calls", "no-new-privileges", "not-dumpable", "limits"]
        // Where the machine does not let an ordinary user have namespaces, the other walls stand alone.
        let isIsolated = bailey_isolate() == 0
        if isIsolated {
            walls += ["user-namespace", "empty-root"]
            guard bailey_probe_root() == 0 else { throw Failure("stand in an empty root", code: EPERM) }
            guard bailey_drop_capabilities() == 0 else { throw Failure("drop the capabilities") }
        }
        // A change of user or of capabilities undoes both of these.
        guard bailey_not_dumpable() == 0, bailey_die_with_parent() == 0, bailey_no_new_privileges() == 0 else {
            throw Failure("give up privileges")
        }
        guard bailey_poll_hangup(link) == 0 else { throw Failure("find the supervisor", code: ESRCH) }
        try limit()
        guard bailey_landlock_close(0) == 0 else { throw Failure("close the files with Landlock") }
        guard bailey_probe_capabilities() == 0 else { throw Failure("find no capability left", code: EPERM) }
        guard bailey_broker_filter() == 0 else { throw Failure("load the system call filter") }
        try prove()
        if bailey_probe_bind() == 0 { walls.append("no-own-listeners") }
        return walls
    }

    private func limit() throws(Failure) {
        let limits: [(resource: Int32, value: UInt64)] = [
            (Int32(RLIMIT_CORE.rawValue), 0), (Int32(RLIMIT_DATA.rawValue), Self.dataBytesMax),
            (Int32(RLIMIT_NOFILE.rawValue), Self.descriptorsMax),
        ]
        for limit in limits where bailey_set_rlimit(limit.resource, limit.value, limit.value) != 0 {
            throw Failure("set the limits")
        }
    }

    /// How many descriptors this process may have: the machine may allow fewer than it asks for.
    static var descriptors: Int {
        var limit = rlimit(rlim_cur: 0, rlim_max: 0)
        let resource = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
        guard getrlimit(resource, &limit) == 0 else { return 0 }
        return Int(min(UInt64(limit.rlim_cur), descriptorsMax))
    }

    /// A wall that is silently missing would be believed in, so each is tried.
    private func prove() throws(Failure) {
        let families = [AF_UNIX, AF_NETLINK, 17 /* AF_PACKET */, 38 /* AF_ALG */, 40 /* AF_VSOCK */]
        guard bailey_probe_open("/") == 0, bailey_probe_open("/etc/passwd") == 0,
            bailey_probe_create("/tmp/.bailey-self-test") == 0
        else { throw Failure("be refused files", code: EPERM) }
        for family in families where bailey_probe_socket(family, 0) != 0 {
            throw Failure("be refused sockets of family \(family)", code: EPERM)
        }
        for number: Int32 in [132 /* SCTP */, 262 /* MPTCP */] where bailey_probe_protocol(number) != 0 {
            throw Failure("be refused sockets of protocol \(number)", code: EPERM)
        }
        guard bailey_probe_socket(AF_INET, 1) == 0, bailey_probe_code() == 0 else {
            throw Failure("be refused raw sockets and new code", code: EPERM)
        }
    }
}
