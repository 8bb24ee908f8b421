import Glibc
import Synchronization

/// What is left of sandboxes that are dead: launchers and brokers that give the kernel their mounts back, and control
/// groups whose last process the kernel has not let go of. Both take a while in which there is other work to do.
package enum LeavingSandboxes {
    private struct Left: Sendable {
        var processes: [Int32] = []
        var groups: [MemoryGroup] = []
    }

    private static let left = Mutex(Left())
    /// A group that is busy longer is left to the next launch, which removes those of processes that are gone.
    private static let groupMillisecondsMax = 5000

    /// A process that has ended, or was told to by SIGKILL.
    static func add(process: Int32) {
        left.withLock { $0.processes.append(process) }
    }

    static func add(group: MemoryGroup) {
        guard !group.remove() else { return }
        left.withLock { $0.groups.append(group) }
    }

    /// Takes away what has gone since.
    static func reap() {
        var status: Int32 = 0
        left.withLock { left in
            left.processes.removeAll { waitpid($0, &status, WNOHANG) != 0 }
            left.groups.removeAll { $0.remove() }
        }
    }

    /// Returns when the last process is gone, and every mount and group with it: before this process ends itself.
    package static func waitForAll() {
        let waiting = left.withLock { left in
            defer { left = Left() }
            return left
        }
        for process in waiting.processes { HelperProcess.reap(process) }
        var triesLeft = groupMillisecondsMax
        for group in waiting.groups {
            while !group.remove(), triesLeft > 0 {
                triesLeft -= 1
                usleep(1000)
            }
        }
    }
}
