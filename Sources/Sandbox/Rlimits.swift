import Domain
import LauncherCore

/// The limits that the kernel holds for each process or for the sandbox's user.
enum Rlimits {
    /// Resource numbers of asm-generic/resource.h.
    private enum Number {
        static let cpu: UInt32 = 0, fileSize: UInt32 = 1, core: UInt32 = 4, processes: UInt32 = 6
        static let openFiles: UInt32 = 7, lockedMemory: UInt32 = 8, messageQueues: UInt32 = 12, nice: UInt32 = 13
        static let realTimePriority: UInt32 = 14, pendingSignals: UInt32 = 11
    }

    /// Seconds between SIGXCPU, which a command may catch to say goodbye, and SIGKILL.
    private static let cpuGraceSeconds: UInt64 = 2
    private static let lockedMemoryBytes: UInt64 = 8 << 20
    private static let messageQueueBytes: UInt64 = 1 << 20

    /// No dump is this small, and the kernel does not start a dump handler of the host at this value, as it does at 0.
    private static let coreBytes: UInt64 = 1

    static func list(_ limits: ResourceLimits) -> [LaunchPlan.Limit] {
        func both(_ resource: UInt32, _ value: UInt64) -> LaunchPlan.Limit {
            LaunchPlan.Limit(resource: resource, soft: value, hard: value)
        }
        return [
            LaunchPlan.Limit(
                resource: Number.cpu,
                soft: limits.cpuSeconds,
                hard: limits.cpuSeconds + cpuGraceSeconds
            ),
            both(Number.fileSize, limits.workspaceBytes),
            both(Number.core, coreBytes),
            both(Number.processes, limits.processes),
            both(Number.openFiles, limits.openFiles),
            both(Number.lockedMemory, lockedMemoryBytes),
            both(Number.messageQueues, messageQueueBytes),
            both(Number.nice, 0),
            both(Number.realTimePriority, 0),
            both(Number.pendingSignals, limits.processes * 8),
        ]
    }
}
