import CLinux
import Glibc

extension Directory {
    package enum RenameRule: UInt32 {
        case replace = 0
        case failIfPresent = 1
        case exchange = 2
    }

    /// Renames a direct entry of this directory to a direct entry of another.
    ///
    /// Some file systems, as of FUSE and NFS, know only the plain rename. There a name is first taken in a way that
    /// fails with EEXIST where something has it; an exchange is refused with EINVAL.
    package func rename(
        _ name: [UInt8],
        to other: borrowing Directory,
        _ newName: [UInt8],
        rule: RenameRule = .replace
    ) throws(SystemError) {
        do {
            try renameOnce(name, to: other, newName, rule)
        } catch  where error.code == EINVAL && rule == .failIfPresent {
            if try status(name).kind == .directory {
                try renameDirectoryByClaim(name, to: other, newName)
            } else if try linkToNewName(name, to: other, newName) {
                try removeFile(name)
            } else {
                try renameFileByClaim(name, to: other, newName)
            }
        }
    }

    private func renameOnce(
        _ name: [UInt8],
        to other: borrowing Directory,
        _ newName: [UInt8],
        _ rule: RenameRule
    ) throws(SystemError) {
        let target = other.raw
        let code = Self.withPath(name) { old in
            Self.withPath(newName) { bailey_renameat2(raw, old, target, $0, rule.rawValue) }
        }
        _ = try SystemError.check("rename", code, path: Self.text(newName))
    }

    /// A plain rename replaces an empty directory, and the one it replaces is ours.
    private func renameDirectoryByClaim(
        _ name: [UInt8],
        to other: borrowing Directory,
        _ newName: [UInt8]
    ) throws(SystemError) {
        try other.makeDirectory(newName, mode: 0o700)
        do {
            try renameOnce(name, to: other, newName, .replace)
        } catch {
            try other.removeDirectory(newName)
            throw error
        }
    }

    /// False where the file system has no second names.
    private func linkToNewName(
        _ name: [UInt8],
        to other: borrowing Directory,
        _ newName: [UInt8]
    ) throws(SystemError) -> Bool {
        let target = other.raw
        let code = Self.withPath(name) { old in Self.withPath(newName) { linkat(raw, old, target, $0, 0) } }
        if code != 0, [EPERM, EOPNOTSUPP, ENOSYS, EMLINK].contains(errno) { return false }
        _ = try SystemError.check("link", code, path: Self.text(newName))
        return true
    }

    /// The file that the rename replaces is ours and empty.
    private func renameFileByClaim(
        _ name: [UInt8],
        to other: borrowing Directory,
        _ newName: [UInt8]
    ) throws(SystemError) {
        _ = try other.open(newName, flags: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        do {
            try renameOnce(name, to: other, newName, .replace)
        } catch {
            try other.removeFile(newName)
            throw error
        }
    }
}
