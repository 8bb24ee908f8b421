import CLinux
import Glibc

extension Directory {
    /// Bytes of a path resolved at once: below PATH_MAX, so that deeper paths are reached in several steps.
    private static var stepBytesMax: Int { 3072 }

    /// Opens a directory any number of levels below, symbolic links refused everywhere. The path may be longer than
    /// PATH_MAX.
    package func directory(at components: some Collection<[UInt8]>) throws(SystemError) -> Directory {
        var current: Directory?
        var step: [UInt8] = []
        for name in components {
            if step.count + name.count > Self.stepBytesMax {
                current = try current.open(step, below: self)
                step = []
            }
            if !step.isEmpty { step.append(UInt8(ascii: "/")) }
            step.append(contentsOf: name)
        }
        return try current.open(step, below: self)
    }

    /// As above, nil if a component is missing or is no directory (a symbolic link is none).
    package func directoryIfPresent(at components: some Collection<[UInt8]>) throws(SystemError) -> Directory? {
        do {
            return try directory(at: components)
        } catch  where error.code == ENOENT || error.code == ENOTDIR || error.code == ELOOP {
            return nil
        }
    }

    /// `lstat` any number of levels below; no component means the directory itself.
    package func status(at components: [[UInt8]]) throws(SystemError) -> FileStatus {
        let path = Array(components.joined(separator: [UInt8(ascii: "/")]))
        if path.count <= Self.stepBytesMax { return try status(path) }
        return try directory(at: components.dropLast()).status(components[components.count - 1])
    }

    /// Opens something any number of levels below, symbolic links refused everywhere.
    package func open(at components: [[UInt8]], flags: Int32) throws(SystemError) -> Descriptor {
        let path = Array(components.joined(separator: [UInt8(ascii: "/")]))
        if path.count <= Self.stepBytesMax { return try open(path, flags: flags) }
        return try directory(at: components.dropLast()).open(components[components.count - 1], flags: flags)
    }

    /// Gives a direct entry a second name in another directory of the same file system; links are not followed.
    package func link(_ name: [UInt8], to other: borrowing Directory, _ newName: [UInt8]) throws(SystemError) {
        let target = other.raw
        let code = Self.withPath(name) { old in Self.withPath(newName) { bailey_linkat(raw, old, target, $0) } }
        _ = try SystemError.check("link", code, path: Self.text(newName))
    }

    /// Makes a directory unless something has the name already; true if it was made.
    package func makeDirectoryIfAbsent(_ name: [UInt8], mode: UInt32) throws(SystemError) -> Bool {
        do {
            try makeDirectory(name, mode: mode)
            return true
        } catch  where error.code == EEXIST {
            return false
        }
    }

    /// Renames a direct entry unless something has the new name already; true if it was renamed.
    package func renameIfAbsent(
        _ name: [UInt8],
        to other: borrowing Directory,
        _ newName: [UInt8]
    ) throws(SystemError) -> Bool {
        do {
            try rename(name, to: other, newName, rule: .failIfPresent)
            return true
        } catch  where error.code == EEXIST {
            return false
        }
    }

    package func setModified(_ name: [UInt8], _ time: FileTime) throws(SystemError) {
        let code = Self.withPath(name) { bailey_set_modified(raw, $0, time.seconds, time.nanoseconds) }
        _ = try SystemError.check("utimensat", code, path: Self.text(name))
    }

    /// Changes permission bits of a direct entry, whatever its own bits are; a symbolic link is refused with ELOOP.
    package func setModeSafely(_ name: [UInt8], _ mode: UInt32, ifInode inode: UInt64) throws(SystemError) {
        let file = try open(name, flags: BAILEY_O_PATH | O_NOFOLLOW)
        let status = try file.status()
        guard status.kind != .symlink else { throw SystemError("chmod", code: ELOOP, path: Self.text(name)) }
        guard status.inode == inode else { throw SystemError("chmod", code: ESTALE, path: Self.text(name)) }
        // The kernel's own link to the open file: fchmod refuses a descriptor opened without access to the content.
        let code = Self.withPath(Array("/proc/self/fd/\(file.raw)".utf8)) { chmod($0, mode) }
        _ = try SystemError.check("chmod", code, path: Self.text(name))
    }

    /// Changes permission bits of an entry that may not be readable. Only for directories that nobody else writes to:
    /// an entry that became a symbolic link would be followed.
    package func setModeUnopened(_ name: [UInt8], _ mode: UInt32) throws(SystemError) {
        let code = Self.withPath(name) { fchmodat(raw, $0, mode, 0) }
        _ = try SystemError.check("chmod", code, path: Self.text(name))
    }

    /// The magic number of the file system that holds the directory.
    package func fileSystemType() throws(SystemError) -> Int64 {
        var type: Int64 = 0
        _ = try SystemError.check("statfs", bailey_fstatfs_type(raw, &type))
        return type
    }

    /// Changes the directory's own permission bits.
    package func setOwnMode(_ mode: UInt32) throws(SystemError) {
        _ = try SystemError.check("chmod", fchmod(raw, mode))
    }

    package func setOwnOwner(userID: UInt32, groupID: UInt32) throws(SystemError) {
        _ = try SystemError.check("chown", fchown(raw, userID, groupID))
    }

    package func setOwnModified(_ time: FileTime) throws(SystemError) {
        var times = [timespec(), timespec()]
        times[0].tv_nsec = Self.omitTime
        times[1].tv_sec = Int(time.seconds)
        times[1].tv_nsec = Int(time.nanoseconds)
        _ = try SystemError.check("futimens", futimens(raw, times))
    }

    /// UTIME_OMIT, which the importer does not see.
    private static var omitTime: Int { (1 << 30) - 2 }

    /// An extended attribute of the directory itself; nil if there is none.
    package func attribute(_ name: [UInt8]) throws(SystemError) -> [UInt8]? {
        var value = [UInt8](repeating: 0, count: 64)
        let count = Self.withPath(name) { bailey_fgetxattr(raw, $0, &value, value.count) }
        if count < 0, errno == ENODATA || errno == EOPNOTSUPP { return nil }
        return Array(value[..<(try SystemError.check("fgetxattr", count))])
    }
}

extension Optional where Wrapped == Directory {
    fileprivate borrowing func open(_ step: [UInt8], below root: borrowing Directory) throws(SystemError) -> Directory {
        switch self {
        case .some(let directory): try directory.directory(step)
        case .none: try root.directory(step)
        }
    }
}
