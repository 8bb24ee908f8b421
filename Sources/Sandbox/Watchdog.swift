import CLinux
import Domain
import Files
import Glibc

/// Looks at a running sandbox from outside, for what no kernel limit holds here: the CPU time of all its processes
/// together, their memory where there is no control group, and the size of the workspace's layers.
struct Watchdog {
    /// Between two looks. A look at 100 processes costs about 2 ms.
    static let intervalNanoseconds: UInt64 = 100_000_000
    private static let processesMax = 20_000
    /// The layers are walked when the disk lost this share of what is left to use, or after this many looks.
    private static let looksBetweenWalks = 10
    private static let ticksPerSecond = UInt64(max(1, sysconf(Int32(_SC_CLK_TCK))))

    private let limits: ResourceLimits
    private let watchesMemory: Bool
    private let layerDirectories: [String]
    private var looks = 0
    private var firstFreeBytes: UInt64 = 0
    private var lastFreeBytes: UInt64 = 0
    private var lastFreeFiles: UInt64 = 0
    private var lastUsage = LayerUsage()
    /// CPU time of processes that are gone, as far as a look saw it.
    private var cpuSeen: [Int32: UInt64] = [:]
    /// CPU time of the living and of all that they have waited for.
    private var cpuLiving: UInt64 = 0
    /// Space of open files without a name, at the last look at them.
    private var unnamed = UnnamedFiles.Usage()
    private static let looksBetweenUnnamed = 5
    private(set) var peakMemoryBytes: UInt64 = 0
    /// The most memory that each process has had, as of the last look.
    private(set) var peaks: [Int32: UInt64] = [:]

    init(_ request: SandboxRequest, watchesMemory: Bool) {
        limits = request.limits
        self.watchesMemory = watchesMemory
        layerDirectories =
            request.mounts.compactMap { mount in
                switch mount.source {
                case .overlay(_, _, let layers): layers + "/upper"
                case .copy(let directory): directory
                // What a live tree holds is the user's, and no measure of what the command did.
                case .live: nil
                }
            } + request.home.caches.map(\.hostDirectory)
    }

    /// The larger of two sums, each of which can be fooled alone: a process that is gone takes its own time along, and
    /// one whose parent ignores it leaves nothing to the parent.
    var cpuSeconds: Double { Double(cpuTicks) / Double(Self.ticksPerSecond) }

    private var cpuTicks: UInt64 { max(cpuSeen.values.reduce(0, +), cpuLiving) }

    /// The limit that is exceeded now, if any.
    mutating func look(at initProcess: Int32) -> KillCause? {
        looks += 1
        let memory = lookAtProcesses(initProcess)
        peakMemoryBytes = max(peakMemoryBytes, memory)
        if watchesMemory, memory > limits.memoryBytes { return .memory }
        if cpuTicks > limits.cpuSeconds * Self.ticksPerSecond { return .cpuTime }
        return workspaceIsFull() ? .workspace : nil
    }

    /// Sums CPU time and memory over the init's descendants, and the space of files that have no name any more.
    private mutating func lookAtProcesses(_ initProcess: Int32) -> UInt64 {
        var waiting = [initProcess]
        var processes: [Int32] = []
        cpuLiving = 0
        while let process = waiting.popLast(), processes.count < Self.processesMax {
            waiting += children(of: process)
            processes.append(process)
            guard let status = ProcessFile.text(process, "stat") else { continue }
            // The command name may hold anything, so fields are counted from its closing bracket: proc_pid_stat(5).
            let fields = status[(status.lastIndex(of: ")") ?? status.startIndex)...].split(separator: " ")
            guard fields.count > 16 else { continue }
            let times = fields[12...15].map { UInt64($0) ?? 0 }
            cpuLiving += times.reduce(0, +)
            if process != initProcess { cpuSeen[process] = max(cpuSeen[process] ?? 0, times[0] + times[1]) }
        }
        let commands = processes.filter { $0 != initProcess }
        if looks % Self.looksBetweenUnnamed == 0 { unnamed = UnnamedFiles.usage(of: commands) }
        let memory = MemoryUse(of: commands, isExact: false)
        peaks = memory.peaks
        let quick = memory.total(withMemoryFiles: unnamed.memoryBytes)
        // Shared pages count once for each process here; where that is too much, they are counted properly.
        guard watchesMemory, quick > limits.memoryBytes else { return quick }
        return MemoryUse(of: commands, isExact: true).total(withMemoryFiles: unnamed.memoryBytes)
    }

    private func children(of process: Int32) -> [Int32] {
        // Every thread has children of its own.
        ProcessFile.threads(process).flatMap { thread in
            (ProcessFile.text(process, "task/\(thread)/children") ?? "").split(separator: " ").compactMap { Int32($0) }
        }
    }

    /// The walk is dear, so the disk's free space says when it is worth it.
    private mutating func workspaceIsFull() -> Bool {
        guard let first = layerDirectories.first, let directory = try? Directory(trustedPath: first) else {
            return false
        }
        var freeBytes: UInt64 = 0
        var freeFiles: UInt64 = 0
        guard bailey_free_space(directory.raw, &freeBytes, &freeFiles) == 0 else { return false }
        if firstFreeBytes == 0 { (firstFreeBytes, lastFreeBytes, lastFreeFiles) = (freeBytes, freeBytes, freeFiles) }
        let lostBytes = lastFreeBytes > freeBytes ? lastFreeBytes - freeBytes : 0
        let lostFiles = lastFreeFiles > freeFiles ? lastFreeFiles - freeFiles : 0
        let roomBytes = limits.workspaceBytes - min(limits.workspaceBytes, lastUsage.bytes)
        let roomFiles = limits.workspaceFiles - min(limits.workspaceFiles, lastUsage.files)
        guard looks % Self.looksBetweenWalks == 0 || lostBytes > roomBytes / 2 || lostFiles > roomFiles / 2 else {
            return false
        }
        (lastFreeBytes, lastFreeFiles) = (freeBytes, freeFiles)
        lastUsage = LayerUsage(of: layerDirectories, limits)
        let total = lastUsage.bytes + unnamed.storedBytes + unnamed.memoryBytes
        if total > limits.workspaceBytes || lastUsage.files > limits.workspaceFiles { return true }
        // What cannot be looked into counts as full once the disk has lost as much as the limit.
        return lastUsage.isIncomplete && firstFreeBytes > freeBytes
            && firstFreeBytes - freeBytes > limits.workspaceBytes
    }
}
