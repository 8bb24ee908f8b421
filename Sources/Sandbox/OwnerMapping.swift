import CLinux
import Files
import Glibc

/// How the command of a sandbox that root starts comes to own what it works on: by a mount that maps the owners, and
/// where the file system has none, as inside a container, by giving it a private copy for good.
enum OwnerMapping {
    /// Types of file systems whose mounts the kernel cannot map, always or with most of their servers.
    private static let impossible: Set<Int64> = [
        0x794C_7630,  // overlay
        0x6573_5546,  // FUSE
        0x6969,  // NFS
        0x517B, 0xFF53_4D42, 0xFE53_4D42,  // SMB, CIFS
        0x0102_1997,  // 9p
        0xF15F,  // eCryptfs
        0x5346_414F,  // AFS
    ]

    /// What cannot be looked at is left to the mount, which says what is wrong with it.
    static func isPossible(_ path: String) -> Bool {
        let place = bailey_open(path, BAILEY_O_PATH | O_CLOEXEC, 0)
        guard place >= 0 else { return true }
        defer { _ = close(place) }
        var type: Int64 = 0
        return bailey_fstatfs_type(place, &type) != 0 || !impossible.contains(type)
    }

    /// Gives a private copy, whole, to a sandbox's own id. The change set looks at content and mode, and applying it
    /// gives every file the project's owner.
    static func handOver(_ path: String, userID: UInt32, groupID: UInt32) throws(SandboxError) {
        do throws(SystemError) {
            try handOver(Directory(trustedPath: path), userID: userID, groupID: groupID)
        } catch {
            throw SandboxError(.setup, "give the private copy \(path) to the sandbox: \(error)")
        }
    }

    private static func handOver(_ directory: borrowing Directory, userID: UInt32, groupID: UInt32) throws(SystemError)
    {
        for entry in try directory.entries() {
            try directory.setOwner(entry.name, userID: userID, groupID: groupID)
            if entry.kind ?? .directory == .directory, try directory.status(entry.name).kind == .directory {
                try handOver(directory.directory(entry.name), userID: userID, groupID: groupID)
            }
        }
        try directory.setOwnOwner(userID: userID, groupID: groupID)
    }
}
