import Domain
import Files
import Glibc

/// Says what is known to stand against an overlay before anything is mounted. What is not known shows when the sandbox
/// mounts it.
enum OverlaySupport {
    /// File systems that cannot hold an overlay's upper layer: no whiteouts, no user attributes or no reliable names.
    private static let unfitForUpper: [Int64: String] = [
        0x6969: "NFS", 0x517B: "SMB", 0xFF53_4D42: "CIFS", 0xFE53_4D42: "SMB", 0x0102_1997: "9p", 0x6573_5546: "FUSE",
        0x4D44: "FAT", 0x2011_BAB0: "exFAT", 0x794C_7630: "overlay", 0xF15F: "eCryptfs", 0x7366_746E: "NTFS",
        0x5346_544E: "NTFS", 0x0BD0_0BD0: "Lustre", 0x00C3_6400: "Ceph", 0x5346_414F: "AFS", 0x482B: "HFS+",
    ]
    /// File systems that cannot be an overlay's lower layer either.
    private static let unfitForLower: [Int64: String] = [
        0x4D44: "FAT", 0x2011_BAB0: "exFAT", 0xF15F: "eCryptfs",
    ]

    /// A sentence's end that says why not; nil if nothing is known.
    static func obstacle(
        lower path: String,
        status: FileStatus,
        index: TreeIndex,
        layers: borrowing Directory
    ) throws -> String? {
        if let name = unfitForUpper[try layers.fileSystemType()] {
            return "the run's directory lies on \(name)"
        }
        if let name = unfitForLower[try Directory(trustedPath: path).fileSystemType()] {
            return "the project lies on \(name)"
        }
        if geteuid() != 0, status.groupID != getegid() {
            return "the project has the group \(status.groupID), which is not your own"
        }
        if let foreign = index.foreignOwner {
            return "files in \(foreign) have another owner or group than the project"
        }
        if let place = index.mountPoints.first {
            // The overlay would show what lies beneath the mount, where nobody looked for what must be hidden.
            return "something is mounted at \(place)"
        }
        return nil
    }
}
