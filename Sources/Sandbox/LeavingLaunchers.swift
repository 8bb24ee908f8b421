import Glibc
import Synchronization

/// Launchers whose sandboxes are dead. All that is left to them is to give the kernel its mounts back, which takes it
/// a while in which there is other work to do.
package enum LeavingLaunchers {
    private static let processes = Mutex<[Int32]>([])

    static func add(_ process: Int32) {
        processes.withLock { $0.append(process) }
    }

    /// Reaps those that have ended.
    static func reap() {
        var status: Int32 = 0
        processes.withLock { $0.removeAll { waitpid($0, &status, WNOHANG) != 0 } }
    }

    /// Returns when the last one is gone, and every mount with it: before this process ends itself.
    package static func waitForAll() {
        var status: Int32 = 0
        let waiting = processes.withLock { processes in
            defer { processes = [] }
            return processes
        }
        for process in waiting {
            while waitpid(process, &status, 0) < 0, errno == EINTR {}
        }
    }
}
