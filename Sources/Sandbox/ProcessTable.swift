import CLinux
package import Domain
import Files
import Glibc

/// The processes of a command that were seen to execute something, alive and gone, within limits.
///
/// A process is held by a pidfd from its first execution on, so that its end is heard of and its exit status can be
/// had even after its parent has waited for it.
package final class ProcessTable {
    /// Processes that are kept; more are only counted.
    package static let processesMax = 1000
    /// Bytes of paths and arguments in memory.
    package static let textBytesMax = 1 << 20
    /// Living processes that are held at once; further ones have no end in the record. Never more than a part of the
    /// descriptors that this process may have, because watching the limits needs some too.
    private static let pidfdsMax = 512
    private static let pidfdShare = 4
    /// Generations of processes without an execution between one and its next observed ancestor.
    private static let generationsMax = 8

    private struct Living {
        /// Nil for one that is only counted.
        let row: Int?
        let pidfd: Int32
    }

    package private(set) var rows: [ObservedProcess] = []
    package private(set) var leftOut: UInt64 = 0
    /// By the id outside.
    private var living: [Int32: Living] = [:]
    private var textBytes = 0
    private var pidNamespace: Int32 = -1
    private let pidfdsMax: Int
    private let exitEvents: Int32
    private let time: any TimeSource
    private let startNanoseconds: UInt64
    /// The id outside of the sandbox's init.
    package var initProcess: Int32 = -1

    package init(time: any TimeSource, startNanoseconds: UInt64) {
        self.time = time
        self.startNanoseconds = startNanoseconds
        exitEvents = bailey_exits_open()
        var limit = rlimit()
        let isKnown = getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0
        let room = isKnown ? Int(clamping: limit.rlim_cur) / Self.pidfdShare : 0
        pidfdsMax = exitEvents >= 0 ? min(Self.pidfdsMax, room) : 0
    }

    deinit {
        for entry in living.values where entry.pidfd >= 0 { close(entry.pidfd) }
        if exitEvents >= 0 { close(exitEvents) }
        if pidNamespace >= 0 { close(pidNamespace) }
    }

    /// Readable when a process has ended; -1 if that cannot be known.
    var descriptor: Int32 { exitEvents }

    /// Takes down what a thread asks to execute. The caller knows that the thread still waits for its answer.
    package func execute(thread: Int32, path: [UInt8]?, arguments: TargetMemory.Arguments?) {
        guard let row = row(ofThread: thread) else { return }
        textBytes -= Self.bytes(rows[row])
        rows[row].path = path
        rows[row].arguments = arguments?.texts
        rows[row].isCut = path == nil || arguments?.isCut ?? true
        rows[row].executions += 1
        if textBytes + Self.bytes(rows[row]) > Self.textBytesMax {
            rows[row].arguments = nil
            rows[row].isCut = true
            if textBytes + Self.bytes(rows[row]) > Self.textBytesMax { rows[row].path = nil }
        }
        textBytes += Self.bytes(rows[row])
    }

    /// The observed process that a thread belongs to, without making a row for it.
    package func known(thread: Int32) -> ObservedProcess? {
        let process = living[thread] != nil ? thread : ProcessFile.number(thread, "Tgid:") ?? thread
        return living[process]?.row.map { rows[$0] }
    }

    private func row(ofThread thread: Int32) -> Int? {
        if let entry = living[thread] { return entry.row }
        // Most calls come from a process's first thread, which has its id; another has no pidfd.
        var pidfd = bailey_pidfd_open(thread)
        let process = pidfd >= 0 ? thread : ProcessFile.number(thread, "Tgid:") ?? thread
        if let entry = living[process] { return entry.row }
        if pidfd < 0 { pidfd = bailey_pidfd_open(process) }
        let isKept = rows.count < Self.processesMax
        let isWatched =
            pidfd >= 0 && living.count < pidfdsMax && bailey_exits_watch(exitEvents, pidfd, process) == 0
        if !isKept { leftOut += 1 }
        if isKept { rows.append(describe(process, pidfd)) }
        // Without a pidfd nobody tells when the id belongs to somebody else.
        if !isWatched, pidfd >= 0 { close(pidfd) }
        guard isKept || isWatched else { return nil }
        let row = isKept ? rows.count - 1 : nil
        living[process] = Living(row: row, pidfd: isWatched ? pidfd : -1)
        return row
    }

    private func describe(_ process: Int32, _ pidfd: Int32) -> ObservedProcess {
        var found = ObservedProcess(startNanoseconds: time.monotonicNanoseconds() - startNanoseconds)
        found.process = inside(process)
        found.parent = parent(of: process, pidfd).flatMap(ancestor)
        return found
    }

    private func inside(_ process: Int32) -> Int32? {
        // Init cannot be asked for its namespace, a process that has executed something can.
        if pidNamespace < 0 { pidNamespace = open("/proc/\(process)/ns/pid", O_RDONLY | O_CLOEXEC) }
        let found = pidNamespace >= 0 ? bailey_process_inside(pidNamespace, process) : -1
        return found > 0 ? found : ProcessFile.number(process, "NSpid:")
    }

    private func parent(of process: Int32, _ pidfd: Int32) -> Int32? {
        var itself: Int32 = 0
        var parent: Int32 = 0
        if pidfd >= 0, bailey_pidfd_parent(pidfd, &itself, &parent) == 0 { return parent }
        return ProcessFile.number(process, "PPid:")
    }

    /// The id inside of the nearest observed process from this one upwards.
    private func ancestor(_ process: Int32) -> Int32? {
        var next = process
        for _ in 0..<Self.generationsMax {
            if next == initProcess { return 1 }
            if let row = living[next]?.row { return rows[row].process }
            let pidfd = bailey_pidfd_open(next)
            defer { if pidfd >= 0 { close(pidfd) } }
            guard pidfd >= 0, let above = parent(of: next, pidfd) else { return nil }
            next = above
        }
        return nil
    }

    private static func bytes(_ row: ObservedProcess) -> Int {
        (row.path?.count ?? 0) + (row.arguments ?? []).reduce(0) { $0 + $1.count + 1 }
    }

    /// Takes down what a look at living processes found: the most memory by their ids outside, and their time so far.
    package func saw(_ peaks: [Int32: UInt64]) {
        for (process, bytes) in peaks {
            guard let row = living[process]?.row, rows[row].endNanoseconds == nil else { continue }
            rows[row].peakMemoryBytes = max(rows[row].peakMemoryBytes ?? 0, bytes)
            takeTime(process, row)
        }
    }

    private func takeTime(_ process: Int32, _ row: Int) {
        var cpu: UInt64 = 0
        if bailey_process_cpu(process, &cpu) == 0 { rows[row].cpuNanoseconds = cpu }
    }

    /// Takes down the ends that the kernel reports, a bounded number at once.
    package func collectExits() {
        var events = [bailey_process_end](repeating: bailey_process_end(), count: Int(BAILEY_EXITS_MAX))
        let count = bailey_exits_next(exitEvents, &events, Int32(events.count))
        for event in events.prefix(Int(max(0, count))) {
            ended(event.process, isReaped: event.is_reaped != 0)
        }
    }

    private func ended(_ process: Int32, isReaped: Bool) {
        guard let entry = living[process] else { return }
        if let row = entry.row {
            // Whoever is dead and not waited for still has its clock. Of others what the last look saw stands.
            if rows[row].endNanoseconds == nil { takeTime(process, row) }
            rows[row].endNanoseconds = rows[row].endNanoseconds ?? time.monotonicNanoseconds() - startNanoseconds
            let (ending, comesLater) = Self.ending(entry.pidfd)
            rows[row].ending = ending
            if comesLater, !isReaped {
                _ = bailey_exits_await_reaping(exitEvents, entry.pidfd, process)
                return
            }
        }
        close(entry.pidfd)
        living[process] = nil
    }

    /// How a dead process ended; if its parent has not waited for it yet, the kernel tells later.
    private static func ending(_ pidfd: Int32) -> (Ending?, comesLater: Bool) {
        var status: Int32 = 0
        guard bailey_pidfd_exit_status(pidfd, &status) == 0 else { return (nil, errno == ENODATA) }
        return (status & 0x7F == 0 ? .exited(code: status >> 8 & 0xFF) : .signalled(signal: status & 0x7F), false)
    }

    /// The sandbox is dead: whoever was alive ended with it.
    package func finish() {
        for (process, entry) in living where entry.pidfd >= 0 { ended(process, isReaped: true) }
    }
}
