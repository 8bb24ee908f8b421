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
    /// Living processes that are held at once. Never more than a part of the descriptors that this process may have,
    /// because watching the limits needs some too. Of further ones the end is found by the next look, and how they
    /// ended is not known.
    private static let pidfdsMax = 8192
    private static let pidfdShare = 4
    /// Looks in vain after which an execution has failed, unless something else is heard of it: it takes less time than
    /// lies between two.
    private static let looksInVainMax = 2
    /// Generations of processes without an execution between one and its next observed ancestor.
    private static let generationsMax = 8

    /// Dead processes whose parent had not waited for them, before they are asked again out of turn.
    private static let dyingMin = 64

    private struct Living {
        /// Nil for one that is only counted.
        let row: Int?
        /// -1 for one that is not held: nobody tells of its end.
        var pidfd: Int32
        /// When it was started, of one that is not held: its id may become another's.
        let startTicks: UInt64?
        /// Dead, and held only for the exit status that the kernel tells once its parent has waited for it.
        var hasEnded = false
        var attempt: Attempt?
    }

    /// An execution of which nobody has told yet what became of it. The row shows it already.
    private struct Attempt {
        let request: ExecutionRequest
        /// What the row shows if it failed.
        let before: Shown
        /// How many looks found that nothing had been executed.
        var looksInVain = 0
    }

    private struct Shown {
        var path: [UInt8]?
        var arguments: [[UInt8]]?
        var isCut = true
        var image = ObservedProcess.Image.forked

        var bytes: Int { (path?.count ?? 0) + (arguments ?? []).reduce(0) { $0 + $1.count + 1 } }
    }

    /// Who asks to execute something, found while its thread waited for the answer.
    package struct Caller {
        /// The process that the thread belongs to.
        package let process: Int32
        fileprivate var isKnown = false
        fileprivate var pidfd: Int32 = -1
        fileprivate var inside: Int32?
        fileprivate var parent: Int32?
        fileprivate var parentRow: Int?
        fileprivate var startTicks: UInt64?
        /// What it runs; nil for one of which nothing was heard before.
        fileprivate(set) var image: ProcessImage?
    }

    package private(set) var rows: [ObservedProcess] = []
    package private(set) var leftOut: UInt64 = 0
    /// By the id outside.
    private var living: [Int32: Living] = [:]
    /// Of the living those that are held, and those that are not.
    private var heldCount = 0
    private var unheld: Set<Int32> = []
    /// Those whose last execution may have failed.
    private var attempting: Set<Int32> = []
    /// Those that have ended, in the order in which that was seen.
    private var dying: [Int32] = []
    private var dyingMax = ProcessTable.dyingMin
    private var exits = [bailey_process_end](repeating: bailey_process_end(), count: Int(BAILEY_EXITS_MAX))
    private var textBytes = 0
    private var pidNamespace: Int32 = -1
    private let pidfdsMax: Int
    private let exitEvents: Int32
    private let programs: ProgramLookup
    private let time: any TimeSource
    private let startNanoseconds: UInt64
    /// The id outside of the sandbox's init.
    package var initProcess: Int32 = -1

    /// - Parameter pidfdsMax: processes that are held at once, where it shall be fewer than the descriptors allow.
    package init(
        time: any TimeSource,
        startNanoseconds: UInt64,
        programs: ProgramLookup = ProgramLookup(),
        pidfdsMax: Int = ProcessTable.pidfdsMax
    ) {
        self.time = time
        self.startNanoseconds = startNanoseconds
        self.programs = programs
        exitEvents = bailey_exits_open()
        let room = DescriptorLimit.raised(to: UInt64(Self.pidfdsMax * Self.pidfdShare)) / UInt64(Self.pidfdShare)
        self.pidfdsMax = exitEvents >= 0 ? min(pidfdsMax, Int(clamping: room)) : 0
    }

    deinit {
        for entry in living.values where entry.pidfd >= 0 { close(entry.pidfd) }
        if exitEvents >= 0 { close(exitEvents) }
        if pidNamespace >= 0 { close(pidNamespace) }
    }

    /// Readable when a process has ended; -1 if that cannot be known.
    var descriptor: Int32 { exitEvents }

    /// Finds out who a thread belongs to. The thread waits for its answer meanwhile; whether it did until the end, the
    /// answer tells: then ``execute(_:_:arguments:)`` follows, or else ``drop(_:)``.
    package func caller(_ thread: Int32) -> Caller {
        if let known = known(caller: thread) { return known }
        // Most calls come from a process's first thread, which has its id; another has no pidfd.
        var pidfd = bailey_pidfd_open(thread)
        let process = processID(thread, isFirst: pidfd >= 0)
        if process != thread, let known = known(caller: process) {
            if pidfd >= 0 { close(pidfd) }
            return known
        }
        if pidfd < 0 { pidfd = bailey_pidfd_open(process) }
        var caller = Caller(process: process, pidfd: pidfd)
        if heldCount >= pidfdsMax { caller.startTicks = ProcessImage(of: process)?.startTicks }
        guard rows.count < Self.processesMax else { return caller }
        caller.inside = inside(process)
        if let parent = parent(of: process, pidfd) { (caller.parent, caller.parentRow) = ancestor(parent) }
        return caller
    }

    private func known(caller process: Int32) -> Caller? {
        guard let entry = living[process], !entry.hasEnded else { return nil }
        guard entry.row != nil || entry.pidfd < 0 else { return Caller(process: process, isKnown: true) }
        let image = ProcessImage(of: process)
        // One that is not held may be gone, and its id another's.
        guard entry.pidfd >= 0 || image?.startTicks == entry.startTicks else { return nil }
        return Caller(process: process, isKnown: true, image: image)
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
        execute(caller, ExecutionRequest(path: path, before: caller.image), arguments: arguments)
    }

    /// Takes down what a caller asked to execute.
    package func execute(_ caller: Caller, _ request: ExecutionRequest, arguments: TargetMemory.Arguments?) {
        if caller.isKnown { settleAttempt(caller.process, caller.image) }
        guard let row = caller.isKnown ? living[caller.process]?.row : newRow(caller) else { return }
        var before = shown(rows[row].executions == 0 ? caller.parentRow : row)
        if rows[row].executions == 0 { before.image = .forked }
        rows[row].executions += 1
        // What was asked before and is still not known counts as executed.
        setAttempt(caller.process, nil)
        setAttempt(caller.process, Attempt(request: request, before: fitting(before)))
        show(
            Shown(
                path: request.path,
                arguments: arguments?.texts,
                isCut: request.path == nil || arguments?.isCut ?? true,
                image: .assumed
            ),
            in: row
        )
    }

    private func shown(_ row: Int?) -> Shown {
        guard let row else { return Shown() }
        return Shown(
            path: rows[row].path,
            arguments: rows[row].arguments,
            isCut: rows[row].isCut,
            image: rows[row].image
        )
    }

    private func show(_ shown: Shown, in row: Int) {
        textBytes -= Self.bytes(rows[row])
        let fitting = fitting(shown, beside: rows[row].failedPath?.count ?? 0)
        rows[row].path = fitting.path
        rows[row].arguments = fitting.arguments
        rows[row].isCut = fitting.isCut
        rows[row].image = fitting.image
        textBytes += Self.bytes(rows[row])
    }

    /// As much of it as there is room for.
    private func fitting(_ shown: Shown, beside bytes: Int = 0) -> Shown {
        var shown = shown
        let room = Self.textBytesMax - textBytes - bytes
        if shown.bytes <= room { return shown }
        shown.arguments = nil
        shown.isCut = true
        if shown.bytes > room { shown.path = nil }
        return shown
    }

    private static func bytes(_ row: ObservedProcess) -> Int {
        let words = (row.arguments ?? []).reduce(0) { $0 + $1.count + 1 }
        return words + (row.path?.count ?? 0) + (row.failedPath?.count ?? 0)
    }

    private func setAttempt(_ process: Int32, _ attempt: Attempt?) {
        textBytes += (attempt?.before.bytes ?? 0) - (living[process]?.attempt?.before.bytes ?? 0)
        living[process]?.attempt = attempt
        if attempt == nil { attempting.remove(process) } else { attempting.insert(process) }
    }

    /// What a process runs, asked while it waits for an answer, where it is not known yet.
    package func image(_ process: Int32) -> ProcessImage? {
        attempting.contains(process) ? ProcessImage(of: process) : nil
    }

    /// Takes down what became of a process's last execution, by what it runs now.
    package func settleAttempt(_ process: Int32, _ now: ProcessImage?) {
        guard let now, let attempt = living[process]?.attempt else { return }
        end(process, attempt, attempt.request.outcome(now: now))
    }

    private func end(_ process: Int32, _ attempt: Attempt, _ outcome: ExecutionRequest.Outcome) {
        guard outcome != .unknown, let row = living[process]?.row else { return }
        setAttempt(process, nil)
        textBytes -= Self.bytes(rows[row])
        rows[row].failedPath = outcome == .failed ? rows[row].path : nil
        textBytes += Self.bytes(rows[row])
        if outcome == .failed { show(attempt.before, in: row) } else { rows[row].image = .executed }
    }

    /// The same for a process that is gone: if the kernel cannot be asked any more, what was seen before decides.
    private func endAttempt(_ process: Int32, _ now: ProcessImage?) {
        settleAttempt(process, now)
        guard let attempt = living[process]?.attempt, let row = living[process]?.row else { return }
        let request = attempt.request
        let presence = request.presence == .unknown ? programs.presence(at: request.place) : request.presence
        guard presence != .missing, attempt.looksInVain < Self.looksInVainMax else {
            return end(process, attempt, .failed)
        }
        end(process, attempt, .executed)
        rows[row].image = .assumed
    }

    /// The observed process of this id, if it has a row.
    package func known(_ process: Int32) -> ObservedProcess? { living[process]?.row.map { rows[$0] } }

    /// The id inside of an observed process, and what it runs while it asks for something else.
    func asker(_ process: Int32) -> (process: Int32?, path: [UInt8]?) {
        guard let entry = living[process], let row = entry.row else { return (nil, nil) }
        return (rows[row].process, entry.attempt.map(\.before.path) ?? rows[row].path)
    }

    private func newRow(_ caller: Caller) -> Int? {
        // The id was somebody else's, who must be gone for good.
        ended(caller.process, isReaped: true)
        settle(caller.process)
        let isKept = rows.count < Self.processesMax
        let isHeld =
            caller.pidfd >= 0 && heldCount < pidfdsMax
            && bailey_exits_watch(exitEvents, caller.pidfd, caller.process) == 0
        if isKept {
            var found = ObservedProcess(startNanoseconds: time.monotonicNanoseconds() - startNanoseconds)
            found.process = caller.inside
            found.parent = caller.parent
            rows.append(found)
        } else {
            leftOut += 1
        }
        let row = isKept ? rows.count - 1 : nil
        if isHeld {
            heldCount += 1
            living[caller.process] = Living(row: row, pidfd: caller.pidfd, startTicks: nil)
        } else {
            drop(caller)
            let ticks = caller.startTicks ?? ProcessImage(of: caller.process)?.startTicks
            living[caller.process] = Living(row: row, pidfd: -1, startTicks: ticks)
            unheld.insert(caller.process)
        }
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

    /// The id inside of the nearest observed process from this one upwards, and its row.
    private func ancestor(_ process: Int32) -> (Int32?, row: Int?) {
        var next = process
        for _ in 0..<Self.generationsMax {
            if next == initProcess { return (1, nil) }
            if isAlive(next), let row = living[next]?.row { return (rows[row].process, row) }
            let pidfd = bailey_pidfd_open(next)
            defer { if pidfd >= 0 { close(pidfd) } }
            guard pidfd >= 0, let above = parent(of: next, pidfd) else { return (nil, nil) }
            next = above
        }
        return (nil, nil)
    }

    /// Takes down what a look at living processes found: the most memory by their ids outside, and their time so far.
    package func saw(_ peaks: [Int32: UInt64]) {
        for (process, bytes) in peaks {
            guard isAlive(process), let row = living[process]?.row else { continue }
            rows[row].peakMemoryBytes = max(rows[row].peakMemoryBytes ?? 0, bytes)
            takeTime(process, row)
        }
        settleDying()
        lookAtAttempts()
        lookAtUnheld()
    }

    /// A failure is not told at once: the kernel may still be at it.
    private func lookAtAttempts() {
        for process in attempting {
            guard let attempt = living[process]?.attempt, isAlive(process), let now = ProcessImage(of: process)
            else { continue }
            switch attempt.request.outcome(now: now) {
            case .executed: end(process, attempt, .executed)
            case .failed: living[process]?.attempt?.looksInVain += 1
            case .unknown: break
            }
        }
    }

    private func lookAtUnheld() {
        for process in unheld {
            guard let entry = living[process] else { continue }
            let now = ProcessImage(of: process)
            if let now, !now.isDead, now.startTicks == entry.startTicks { continue }
            ended(process, now?.startTicks == entry.startTicks ? now : nil)
            settle(process)
        }
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
        // Whoever is dead and not waited for still has its clock. Of others what the last look saw stands.
        if !isReaped, let row = entry.row { takeTime(process, row) }
        ended(process, isReaped || entry.attempt == nil ? nil : ProcessImage(of: process))
        if isReaped || entry.row == nil { settle(process) } else { dying.append(process) }
    }

    /// - Parameter image: what can still be seen of it.
    private func ended(_ process: Int32, _ image: ProcessImage?) {
        endAttempt(process, image)
        living[process]?.hasEnded = true
        if let row = living[process]?.row {
            rows[row].endNanoseconds = time.monotonicNanoseconds() - startNanoseconds
        }
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
        if entry.pidfd >= 0 {
            close(entry.pidfd)
            heldCount -= 1
        } else {
            unheld.remove(process)
        }
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
        for process in Array(living.keys) {
            ended(process, isReaped: true)
            settle(process)
        }
        programs.forget()
    }
}
