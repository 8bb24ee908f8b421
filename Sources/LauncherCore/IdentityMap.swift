import CLinux
import Glibc

/// The maps between user ids inside and outside, written by the launcher's outer half.
enum IdentityMap {
    /// Maps one user and one group of a new user namespace.
    static func write(
        _ process: Int32,
        inside: (user: UInt32, group: UInt32),
        outside: (user: UInt32, group: UInt32),
        isPrivileged: Bool
    ) throws(LaunchFailure) {
        // Without privilege the kernel wants setgroups switched off first: user_namespaces(7).
        if !isPrivileged { try put(process, "setgroups", "deny") }
        try put(process, "uid_map", "\(inside.user) \(outside.user) 1")
        try put(process, "gid_map", "\(inside.group) \(outside.group) 1")
    }

    /// A user namespace for id-mapped mounts, in which files of (userID, groupID) appear as the shown ids.
    static func namespace(
        userID: UInt32,
        groupID: UInt32,
        shownUserID: UInt32,
        shownGroupID: UInt32
    ) throws(LaunchFailure) -> Int32 {
        var holder: Int32 = -1
        let launcher = getpid()
        let process = bailey_clone(UInt64(BAILEY_NEW_USER), &holder)
        guard process >= 0 else { throw LaunchFailure(.mapIdentity, code: errno) }
        if process == 0 {
            // A launcher that was killed before this process asked for its own death is noticed by the new parent.
            guard bailey_die_with_parent() == 0, getppid() == launcher else { bailey_exit(0) }
            while true { pause() }
        }
        defer {
            _ = bailey_pidfd_send_signal(holder, SIGKILL)
            var code: Int32 = 0
            var status: Int32 = 0
            _ = bailey_waitid_pidfd(holder, &code, &status, 0)
            close(holder)
        }
        try write(process, inside: (userID, groupID), outside: (shownUserID, shownGroupID), isPrivileged: true)
        let namespace = bailey_open("/proc/\(process)/ns/user", O_RDONLY, 0)
        guard namespace >= 0 else { throw LaunchFailure(.mapIdentity, code: errno) }
        return namespace
    }

    private static func put(_ process: Int32, _ file: StaticString, _ text: String) throws(LaunchFailure) {
        let descriptor = bailey_open("/proc/\(process)/\(file)", O_WRONLY, 0)
        guard descriptor >= 0 else { throw LaunchFailure(.mapIdentity, code: errno) }
        defer { close(descriptor) }
        guard Glibc.write(descriptor, text, text.utf8.count) == text.utf8.count else {
            throw LaunchFailure(.mapIdentity, code: errno)
        }
    }
}
