package import Glibc

/// A point in a file's history, as the kernel stamps it.
package struct FileTime: Sendable, Hashable, Comparable {
    package let seconds: Int64
    package let nanoseconds: Int64

    package init(seconds: Int64, nanoseconds: Int64) {
        self.seconds = seconds
        self.nanoseconds = nanoseconds
    }

    package init(_ time: timespec) { self.init(seconds: Int64(time.tv_sec), nanoseconds: Int64(time.tv_nsec)) }

    package static func < (left: FileTime, right: FileTime) -> Bool {
        (left.seconds, left.nanoseconds) < (right.seconds, right.nanoseconds)
    }
}

/// What `lstat` tells, with plain names.
package struct FileStatus: Sendable, Equatable {
    package enum Kind: Sendable { case file, directory, symlink, fifo, socket, characterDevice, blockDevice }

    package let kind: Kind
    /// Permission bits: 07777.
    package let mode: UInt32
    package let userID: UInt32
    package let groupID: UInt32
    package let size: UInt64
    package let inode: UInt64
    package let device: UInt64
    /// The device number of a device node.
    package let deviceNumber: UInt64
    package let linkCount: UInt64
    package let modified: FileTime
    package let changed: FileTime

    package init(_ status: stat) {
        kind =
            switch status.st_mode & S_IFMT {
            case S_IFDIR: .directory
            case S_IFLNK: .symlink
            case S_IFIFO: .fifo
            case S_IFSOCK: .socket
            case S_IFCHR: .characterDevice
            case S_IFBLK: .blockDevice
            default: .file
            }
        mode = status.st_mode & 0o7777
        userID = status.st_uid
        groupID = status.st_gid
        size = UInt64(max(0, status.st_size))
        inode = UInt64(status.st_ino)
        device = UInt64(status.st_dev)
        deviceNumber = UInt64(status.st_rdev)
        linkCount = UInt64(status.st_nlink)
        modified = FileTime(status.st_mtim)
        changed = FileTime(status.st_ctim)
    }

    /// An overlay's mark for "deleted": a character device 0:0.
    package var isWhiteout: Bool { kind == .characterDevice && deviceNumber == 0 }
}
