import CLinux
import Glibc

/// Copies a file's content in the cheapest way that the two file systems offer.
package enum FileCopy {
    /// Shares the blocks if possible, else copies inside the kernel, else through a buffer. Both files stand at their
    /// start. Stops and returns false once more than `bytesMax` were copied.
    package static func copy(
        _ source: borrowing Descriptor,
        to target: borrowing Descriptor,
        bytesMax: UInt64 = .max
    ) throws(SystemError) -> Bool {
        if try source.status().size > bytesMax { return false }
        if bailey_ficlone(target.raw, source.raw) == 0 { return true }
        var copied: UInt64 = 0
        while true {
            let count = bailey_copy_file_range(source.raw, target.raw, 1 << 30)
            if count == 0, copied > 0 { return true }
            if count <= 0 { break }
            copied += UInt64(count)
            if copied > bytesMax { return false }
        }
        while true {
            let chunk = try source.readPrefix(bytesMax: 1 << 16)
            if chunk.isEmpty { return true }
            copied += UInt64(chunk.count)
            if copied > bytesMax { return false }
            try FileContent.write(chunk, to: target.raw)
        }
    }
}

extension Descriptor {
    package func status() throws(SystemError) -> FileStatus {
        var result = stat()
        _ = try SystemError.check("stat", fstat(raw, &result))
        return FileStatus(result)
    }

    /// The magic number of the file system that holds the file.
    package func fileSystemType() throws(SystemError) -> Int64 {
        var type: Int64 = 0
        _ = try SystemError.check("statfs", bailey_fstatfs_type(raw, &type))
        return type
    }

    /// Starts writing the content to the disk without waiting for it. A hint: a file system that has no such thing is
    /// no error.
    package func startWriting() { _ = bailey_sync_file_range_start(raw) }

    package func synchronize() throws(SystemError) { _ = try SystemError.check("fsync", fsync(raw)) }

    package enum LockKind: Sendable { case shared, exclusive }

    /// Takes the file's advisory lock, which ends with the descriptor. False if somebody else holds it and `wait` is
    /// false.
    package func lock(_ kind: LockKind, wait: Bool) throws(SystemError) -> Bool {
        let operation = (kind == .shared ? LOCK_SH : LOCK_EX) | (wait ? 0 : LOCK_NB)
        while flock(raw, operation) != 0 {
            let code = errno
            if code == EINTR { continue }
            if code == EWOULDBLOCK { return false }
            throw SystemError("flock", code: code)
        }
        return true
    }

    package func setMode(_ mode: UInt32) throws(SystemError) {
        _ = try SystemError.check("chmod", fchmod(raw, mode))
    }

    package func setOwner(userID: UInt32, groupID: UInt32) throws(SystemError) {
        _ = try SystemError.check("chown", fchown(raw, userID, groupID))
    }
}
