import CLinux
package import Domain
import Files
import Glibc

/// The processes of a command that were seen to execute something, alive and gone, within limits.
///
/// A process is held by a pidfd from its first execution on, so that its end is heard of and its exit status can be
/// had even after its parent has waited for it. Ends are taken down many at once: no process is waited for on its own.
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

    /// Dead processes whose parent had not waited for them, before they are asked again out of turn.
    private static let dyingMin = 64

    private struct Living {
        /// Nil for one that is only counted.
        let row: Int?
        let pidfd: Int32
        /// Dead, and held only for the exit status that the kernel tells once its parent has waited for it.
        var hasEnded = false
    }

    /// Who asks to execute something, found while its thread waited for the answer.
    package struct Caller {
        /// The process that the thread belongs to.
        package let process: Int32
        fileprivate var isKnown = false
        fileprivate var pidfd: Int32 = -1
        fileprivate var inside: Int32?
        fileprivate var parent: Int32?
    }

    package private(set) var rows: [ObservedProcess] = []
    package private(set) var leftOut: UInt64 = 0
    /// By the id outside.
    private var living: [Int32: Living] = [:]
    /// Those that have ended, in the order in which that was seen.
    private var dying: [Int32] = []
    private var dyingMax = ProcessTable.dyingMin
    private var exits = [bailey_process_end](repeating: bailey_process_end(), count: Int(BAILEY_EXITS_MAX))
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

    /// Finds out who a thread belongs to. The thread waits for its answer meanwhile; whether it did until the end, the
    /// answer tells: then ``execute(_:path:arguments:)`` follows, or else ``drop(_:)``.
    package func caller(_ thread: Int32) -> Caller {
        if isAlive(thread) { return Caller(process: thread, isKnown: true) }
        // Most calls come from a process's first thread, which has its id; another has no pidfd.
        var pidfd = bailey_pidfd_open(thread)
        let process = processID(thread, isFirst: pidfd >= 0)
        if isAlive(process) { return Caller(process: process, isKnown: true) }
        if pidfd < 0 { pidfd = bailey_pidfd_open(process) }
        var caller = Caller(process: process, pidfd: pidfd)
        guard rows.count < Self.processesMax else { return caller }
        caller.inside = inside(process)
        caller.parent = parent(of: process, pidfd).flatMap(ancestor)
        return caller
    }

    /// The process that a waiting thread belongs to.
    package func processID(_ thread: Int32) -> Int32 { processID(thread, isFirst: isAlive(thread)) }

    private func processID(_ thread: Int32, isFirst: Bool) -> Int32 {
        isFirst ? thread : ProcessFile.number(thread, "Tgid:") ?? thread
    }

    private func isAlive(_ process: Int32) -> Bool { living[process].map { !$0.hasEnded } ?? false }

    /// Forgets a caller whose call did not wait any more.
    func drop(_ caller: Caller) { if caller.pidfd >= 0 { close(caller.pidfd) } }

    /// Takes down what a caller asked to execute.
    package func execute(_ caller: Caller, path: [UInt8]?, arguments: TargetMemory.Arguments?) {
        guard let row = caller.isKnown ? living[caller.process]?.row : newRow(caller) else { return }
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

    /// The observed process of this id, if it has a row.
    package func known(_ process: Int32) -> ObservedProcess? { living[process]?.row.map { rows[$0] } }

    private func newRow(_ caller: Caller) -> Int? {
        // The id was somebody else's, who must be gone for good.
        settle(caller.process)
        let isKept = rows.count < Self.processesMax
        let isWatched =
            caller.pidfd >= 0 && living.count < pidfdsMax
            && bailey_exits_watch(exitEvents, caller.pidfd, caller.process) == 0
        if isKept {
            var found = ObservedProcess(startNanoseconds: time.monotonicNanoseconds() - startNanoseconds)
            found.process = caller.inside
            found.parent = caller.parent
            rows.append(found)
        } else {
            leftOut += 1
        }
        // Without a pidfd nobody tells when the id belongs to somebody else.
        if !isWatched { drop(caller) }
        guard isKept || isWatched else { return nil }
        let row = isKept ? rows.count - 1 : nil
        living[caller.process] = Living(row: row, pidfd: isWatched ? caller.pidfd : -1)
        return row
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
            if isAlive(next), let row = living[next]?.row { return rows[row].process }
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
            guard isAlive(process), let row = living[process]?.row else { continue }
            rows[row].peakMemoryBytes = max(rows[row].peakMemoryBytes ?? 0, bytes)
            takeTime(process, row)
        }
        settleDying()
    }

    private func takeTime(_ process: Int32, _ row: Int) {
        var cpu: UInt64 = 0
        if bailey_process_cpu(process, &cpu) == 0 { rows[row].cpuNanoseconds = cpu }
    }

    /// Takes down the ends that the kernel reports, a bounded number at once; how many there were.
    package func collectExits() -> Int {
        let count = max(0, bailey_exits_next(exitEvents, &exits, Int32(exits.count)))
        for event in exits.prefix(Int(count)) { ended(event.process, isReaped: event.is_reaped != 0) }
        if dying.count > dyingMax { settleDying() }
        return Int(count)
    }

    private func ended(_ process: Int32, isReaped: Bool) {
        guard let entry = living[process], !entry.hasEnded else { return }
        if let row = entry.row {
            // Whoever is dead and not waited for still has its clock. Of others what the last look saw stands.
            if !isReaped { takeTime(process, row) }
            rows[row].endNanoseconds = time.monotonicNanoseconds() - startNanoseconds
        }
        living[process]?.hasEnded = true
        if isReaped || entry.row == nil { settle(process) } else { dying.append(process) }
    }

    /// Asks for the exit status of those whose parent may have waited for them by now.
    private func settleDying() {
        let waiting = dying
        dying = waiting.filter { process in
            guard let entry = living[process], entry.hasEnded, let row = entry.row else { return false }
            let (ending, comesLater) = Self.ending(entry.pidfd)
            guard !comesLater else { return true }
            forget(process, entry, row, ending)
            return false
        }
        dyingMax = max(Self.dyingMin, dying.count * 2)
    }

    /// Takes down the exit status of one that is dead and waited for, and forgets it.
    private func settle(_ process: Int32) {
        guard let entry = living[process] else { return }
        forget(process, entry, entry.row, entry.row == nil ? nil : Self.ending(entry.pidfd).0)
    }

    private func forget(_ process: Int32, _ entry: Living, _ row: Int?, _ ending: Ending?) {
        if let row { rows[row].ending = ending }
        if entry.pidfd >= 0 { close(entry.pidfd) }
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
        while collectExits() > 0 {}
        for (process, entry) in living where entry.pidfd >= 0 {
            ended(process, isReaped: true)
            settle(process)
        }
    }
}
