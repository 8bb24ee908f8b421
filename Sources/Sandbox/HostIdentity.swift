import CLinux
import Files
import Glibc

/// Who the command is: inside, and to the host's kernel. Never root.
package struct HostIdentity: Sendable {
    package let isPrivileged: Bool
    package let insideUserID: UInt32
    package let insideGroupID: UInt32
    package let hostUserID: UInt32
    package let hostGroupID: UInt32

    /// The ids of sandboxes that root starts: far from people, services, subuid ranges and 65534 (nobody, whom others
    /// share).
    static let firstHostID: UInt32 = 0x7000_0000
    /// Who the command of root's sandboxes is inside.
    static let insideIDOfRoot: UInt32 = 1000
    /// Owns the caches of root's sandboxes on the disk; no sandbox runs as it.
    package static let cacheOwnerID: UInt32 = firstHostID - 1
    /// More live sandboxes than a machine can hold.
    static let hostIDsMax: UInt32 = 4096

    /// An ordinary user's command is that user, with no more rights than the view leaves.
    package static func ordinary(userID: UInt32, groupID: UInt32) -> HostIdentity {
        HostIdentity(
            isPrivileged: false,
            insideUserID: userID,
            insideGroupID: groupID,
            hostUserID: userID,
            hostGroupID: groupID
        )
    }

    /// Root's command gets a host id that no other live sandbox has; the lease keeps it.
    package static func leased(from directory: String = "/run/bailey/ids") throws(SandboxError) -> Lease {
        do throws(SystemError) {
            let ids = try directoryOfRoot(directory)
            for slot in 0..<hostIDsMax {
                let name = Array(String(slot).utf8)
                let file = try ids.open(name, flags: O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600)
                guard flock(file.raw, LOCK_EX | LOCK_NB) == 0 else { continue }
                let host = firstHostID + slot
                let identity = HostIdentity(
                    isPrivileged: true,
                    insideUserID: insideIDOfRoot,
                    insideGroupID: insideIDOfRoot,
                    hostUserID: host,
                    hostGroupID: host
                )
                return Lease(identity: identity, file: file)
            }
        } catch {
            throw SandboxError(
                .setup,
                "lease a user id for the sandbox: \(error)",
                hint: "Make \(directory) writable for root."
            )
        }
        throw SandboxError(.setup, "lease a user id for the sandbox: all \(hostIDsMax) are in use")
    }

    /// Holds a host id for as long as it lives; a dead process's lease ends with it.
    package struct Lease: ~Copyable {
        package let identity: HostIdentity
        private let file: Descriptor

        fileprivate init(identity: HostIdentity, file: consuming Descriptor) {
            self.identity = identity
            self.file = file
        }
    }

    private static func directoryOfRoot(_ path: String) throws(SystemError) -> Directory {
        let parent = path.split(separator: "/").dropLast()
        for depth in 1...parent.count + 1 {
            let part = "/" + path.split(separator: "/").prefix(depth).joined(separator: "/")
            if mkdir(part, 0o700) != 0, errno != EEXIST { throw SystemError("mkdir", code: errno, path: part) }
        }
        let directory = try Directory(trustedPath: path)
        let status = try directory.status([])
        guard status.userID == 0, status.mode & 0o022 == 0 else { throw SystemError("open", code: EPERM, path: path) }
        return directory
    }
}
