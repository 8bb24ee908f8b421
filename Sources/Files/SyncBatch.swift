import CLinux
import Glibc

/// Makes many files and directories durable together, which costs a journalling file system little more than one: what
/// waits for the disk at the same time shares its commit. It says of each no less than `fsync` does.
package final class SyncBatch {
    /// Named limits of this type.
    private enum Limits {
        /// Files that are open at once: far below what a process may have open.
        static let filesMax = 256
        /// Threads that wait for the disk; more bring no more on any disk that was tried.
        static let threadsMax: Int32 = 16
    }

    private var files: [Int32] = []

    package init() {}

    /// Takes a file over; with many of them, those so far are synchronised first.
    package func add(_ file: consuming Descriptor) throws(SystemError) {
        files.append(file.release())
        if files.count >= Limits.filesMax { try synchronize() }
    }

    package func add(_ directory: consuming Directory) throws(SystemError) {
        try add(Descriptor(owning: directory.release()))
    }

    /// Waits until all that was added is on the disk, and closes it. Throws if any of it may not be.
    package func synchronize() throws(SystemError) {
        guard !files.isEmpty else { return }
        let result = bailey_fsync_all(files, Int32(files.count), Limits.threadsMax)
        let code = errno
        closeAll()
        guard result == 0 else { throw SystemError("fsync", code: code) }
    }

    private func closeAll() {
        for file in files { _ = close(file) }
        files = []
    }

    deinit {
        for file in files { _ = close(file) }
    }
}
