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
    private static let looksBetweenWalks = 20
    private static let pageBytes = UInt64(max(1, sysconf(Int32(_SC_PAGESIZE))))
    private static let ticksPerSecond = UInt64(max(1, sysconf(Int32(_SC_CLK_TCK))))

    private let limits: ResourceLimits
    private let watchesMemory: Bool
    private let layerDirectories: [String]
    private var looks = 0
    private var lastFreeBytes: UInt64 = 0
    private var lastFreeFiles: UInt64 = 0
    private var lastUsage = LayerUsage()
    /// CPU time of processes that are gone, as far as a look saw it.
    private var cpuSeen: [Int32: UInt64] = [:]
    private(set) var peakMemoryBytes: UInt64 = 0

    init(_ request: SandboxRequest, watchesMemory: Bool) {
        limits = request.limits
        self.watchesMemory = watchesMemory
        layerDirectories = request.mounts.map { mount in
            switch mount.source {
            case .overlay(_, _, let layers): layers + "/upper"
            case .copy(let directory): directory
            }
        }
    }

    var cpuSeconds: Double { Double(cpuSeen.values.reduce(0, +)) / Double(Self.ticksPerSecond) }

    /// The limit that is exceeded now, if any.
    mutating func look(at initProcess: Int32) -> KillCause? {
        looks += 1
        let memory = lookAtProcesses(initProcess)
        peakMemoryBytes = max(peakMemoryBytes, memory)
        if watchesMemory, memory > limits.memoryBytes { return .memory }
        if cpuSeen.values.reduce(0, +) > limits.cpuSeconds * Self.ticksPerSecond { return .cpuTime }
        return workspaceIsFull() ? .workspace : nil
    }

    /// Sums CPU time and private memory over the init's descendants.
    private mutating func lookAtProcesses(_ initProcess: Int32) -> UInt64 {
        var waiting = [initProcess]
        var memory: UInt64 = 0
        var count = 0
        while let process = waiting.popLast(), count < Self.processesMax {
            count += 1
            waiting += children(of: process)
            guard process != initProcess, let status = ProcessFile.text(process, "stat") else { continue }
            // The command name may hold anything, so fields are counted from its closing bracket: proc_pid_stat(5).
            let fields = status[(status.lastIndex(of: ")") ?? status.startIndex)...].split(separator: " ")
            if fields.count > 14, let user = UInt64(fields[12]), let system = UInt64(fields[13]) {
                cpuSeen[process] = max(cpuSeen[process] ?? 0, user + system)
            }
            memory += privateMemory(of: process)
        }
        return memory
    }

    private func children(of process: Int32) -> [Int32] {
        // Every thread has children of its own.
        ProcessFile.threads(process).flatMap { thread in
            (ProcessFile.text(process, "task/\(thread)/children") ?? "").split(separator: " ").compactMap { Int32($0) }
        }
    }

    private func privateMemory(of process: Int32) -> UInt64 {
        let fields = (ProcessFile.text(process, "statm") ?? "").split(separator: " ").compactMap { UInt64($0) }
        guard fields.count > 2, fields[1] > fields[2] else { return 0 }
        return (fields[1] - fields[2]) * Self.pageBytes
    }

    /// The walk is dear, so the disk's free space says when it is worth it.
    private mutating func workspaceIsFull() -> Bool {
        guard let first = layerDirectories.first, let directory = try? Directory(trustedPath: first) else { return false }
        var freeBytes: UInt64 = 0
        var freeFiles: UInt64 = 0
        guard bailey_free_space(directory.raw, &freeBytes, &freeFiles) == 0 else { return false }
        let lostBytes = lastFreeBytes > freeBytes ? lastFreeBytes - freeBytes : 0
        let lostFiles = lastFreeFiles > freeFiles ? lastFreeFiles - freeFiles : 0
        let roomBytes = limits.workspaceBytes - min(limits.workspaceBytes, lastUsage.bytes)
        let roomFiles = limits.workspaceFiles - min(limits.workspaceFiles, lastUsage.files)
        guard looks % Self.looksBetweenWalks == 0 || lostBytes > roomBytes / 2 || lostFiles > roomFiles / 2 else {
            return false
        }
        (lastFreeBytes, lastFreeFiles) = (freeBytes, freeFiles)
        lastUsage = LayerUsage(of: layerDirectories, limits)
        return lastUsage.bytes > limits.workspaceBytes || lastUsage.files > limits.workspaceFiles
    }
}

/// How much lies in the layers of a workspace.
struct LayerUsage {
    private(set) var bytes: UInt64 = 0
    private(set) var files: UInt64 = 0
    private static let depthMax = 256

    init() {}

    /// Counts blocks, not sizes: a sparse file uses little. Stops as soon as a limit is passed.
    init(of directories: [String], _ limits: ResourceLimits) {
        for path in directories {
            guard let directory = try? Directory(trustedPath: path) else { continue }
            add(directory, depth: 0, limits)
        }
    }

    private mutating func add(_ directory: borrowing Directory, depth: Int, _ limits: ResourceLimits) {
        guard depth < Self.depthMax, let entries = try? directory.entries() else { return }
        for entry in entries {
            guard files <= limits.workspaceFiles, bytes <= limits.workspaceBytes else { return }
            files += 1
            if entry.kind == .directory, let child = try? directory.directory(entry.name) {
                add(child, depth: depth + 1, limits)
            } else if entry.kind == .file, let blocks = try? directory.allocatedBytes(entry.name) {
                bytes += blocks
            }
        }
    }
}

/// Files of `/proc/PID`. A process that is gone has none.
private enum ProcessFile {
    static func text(_ process: Int32, _ name: String) -> String? {
        let raw = open("/proc/\(process)/\(name)", O_RDONLY | O_CLOEXEC)
        guard raw >= 0 else { return nil }
        let file = Descriptor(owning: raw)
        return (try? FileContent.read(file, bytesMax: 1 << 20)).map { String(decoding: $0, as: UTF8.self) }
    }

    static func threads(_ process: Int32) -> [String] {
        guard let directory = try? Directory(trustedPath: "/proc/\(process)/task"),
            let entries = try? directory.entries(atMost: 4096)
        else { return [] }
        return entries.map { String(decoding: $0.name, as: UTF8.self) }
    }
}
