import Glibc
import Synchronization

/// Launchers whose sandboxes are dead. All that is left to them is to give the kernel its mounts back, which takes it
/// a while that nobody need wait for; the next launch, or the end of this process, reaps them.
enum LeavingLaunchers {
    private static let processes = Mutex<[Int32]>([])

    static func add(_ process: Int32) {
        processes.withLock { $0.append(process) }
    }

    /// Reaps those that have ended.
    static func reap() {
        var status: Int32 = 0
        processes.withLock { $0.removeAll { waitpid($0, &status, WNOHANG) != 0 } }
    }
}
