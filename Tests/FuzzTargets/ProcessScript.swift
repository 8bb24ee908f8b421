import CLinux
import Domain
import Glibc
import Sandbox
import Synchronization

/// Tells a table of processes what an input says, of real processes and of ids that nobody has, and knows what really
/// happened.
final class ProcessScript {
    private static let stepsMax = 64
    private static let childrenMax = 8
    /// Ids without a process take no room that real ones need, as long as they are few.
    private static let idsMax = 64
    /// Above every id that a kernel gives.
    private static let strangerBase: Int32 = 0x7000_0000

    private let table: ProcessTable
    private let isInit: Bool
    private var children: [FuzzChild] = []
    /// Children that were seen to execute something while there was room to watch them.
    private var watched: Set<pid_t> = []
    private var ids: Set<Int32> = []
    /// Children that asked to execute something after their end, as only another process of the same id could: the
    /// table takes them for one, and never learns how the first ended, for nobody has waited for it.
    private var risen: Set<pid_t> = []
    private var calls: UInt64 = 0

    init(isInit: Bool) {
        table = ProcessTable(time: CountingTime(), startNanoseconds: 0)
        self.isInit = isInit
        if isInit { table.initProcess = getpid() }
    }

    func run(_ input: inout FuzzInput) throws {
        for _ in 0..<Self.stepsMax where !input.isAtEnd {
            try step(&input)
            try judge()
        }
        for child in children {
            child.end(code: nil)
            child.reap()
        }
        while table.collectExits() > 0 {}
        try judge()
        table.finish()
        try judge()
        try judgeEnds()
    }

    private func step(_ input: inout FuzzInput) throws {
        switch input.byte() % 10 {
        case 0 where children.count < Self.childrenMax: children.append(try FuzzChild())
        case 1, 2: execute(id(&input), words(&input))
        case 3:
            // Many that are not there, with as much text as is kept of one.
            let first = Self.strangerBase + Int32(input.number16())
            let long = [UInt8](repeating: 0x41, count: TargetMemory.argumentBytesMax)
            for number in 0..<Int32(input.byte()) { execute(first + number, [long, long, long]) }
        case 4: living(&input)?.end(code: input.byte())
        case 5: living(&input)?.end(code: nil)
        case 6: living(&input)?.reap()
        case 7: table.saw([id(&input): UInt64(input.number16()) << 12])
        case 8: _ = table.known(table.processID(id(&input)))
        default: _ = table.collectExits()
        }
    }

    private func execute(_ id: Int32, _ words: [[UInt8]?]) {
        calls += 1
        ids.insert(id)
        if children.contains(where: { $0.process == id && $0.isDead }) { risen.insert(id) }
        if ids.count <= Self.idsMax, children.contains(where: { $0.process == id }) { watched.insert(id) }
        let arguments = words.isEmpty ? nil : TargetMemory.keep(words)
        table.execute(table.caller(id), path: words.first ?? nil, arguments: arguments)
    }

    private func words(_ input: inout FuzzInput) -> [[UInt8]?] {
        (0..<Int(input.byte() % 4)).map { _ in input.byte() == 0 ? nil : input.piece() }
    }

    /// This process, a thread of it, a child that was not waited for, or nobody. The id of one that was waited for may
    /// be somebody else's by now.
    private func id(_ input: inout FuzzInput) -> Int32 {
        switch input.byte() % 8 {
        case 0: getpid()
        case 1: thread
        case 2: input.pick([-1, 0, .min, .max, Self.strangerBase])
        case 3: Self.strangerBase + Int32(input.number16())
        default: living(&input)?.process ?? getpid()
        }
    }

    /// The id of the thread that runs this: rarely the process's.
    private var thread: Int32 {
        var target = [CChar](repeating: 0, count: 64)
        let count = readlink("/proc/thread-self", &target, target.count)
        let text = String(decoding: target.prefix(max(0, count)).map { UInt8(bitPattern: $0) }, as: UTF8.self)
        return text.split(separator: "/").last.flatMap { Int32($0) } ?? getpid()
    }

    private func living(_ input: inout FuzzInput) -> FuzzChild? {
        let left = children.filter { !$0.isReaped }
        return left.isEmpty ? nil : input.pick(left)
    }

    private func judge() throws {
        let rows = table.rows
        try promise(rows.count <= ProcessTable.processesMax, "the table grows without a limit")
        try promise(table.leftOut <= calls, "more processes were left out than there were calls")
        try promise(rows.reduce(0) { $0 + $1.executions } <= calls, "more was executed than there were calls")
        let textBytes = rows.reduce(0) { sum, row in
            sum + (row.path?.count ?? 0) + (row.arguments ?? []).reduce(0) { $0 + $1.count }
        }
        try promise(textBytes <= ProcessTable.textBytesMax, "the texts grow without a limit")
        let known = rows.compactMap(\.process)
        let real = Set(children.map(\.process) + [getpid()])
        try promise(real.isSuperset(of: known), "a process is known that is none")
        // Unless the kernel gave an id twice.
        if real.count == children.count + 1, risen.isEmpty {
            try promise(Set(known).count == known.count, "a process has two rows")
        }
        for row in rows { try judge(row, Set(known)) }
    }

    private func judge(_ row: ObservedProcess, _ known: Set<Int32>) throws {
        try promise(row.executions > 0, "a process is told that executed nothing")
        try promise(row.parent.map { $0 == 1 || known.contains($0) } ?? true, "a parent is not in the table")
        try promise(row.endNanoseconds.map { $0 >= row.startNanoseconds } ?? true, "a process ended before its start")
        try promise(row.ending == nil || row.endNanoseconds != nil, "a process ended at no time")
        try promise(row.isCut || row.path != nil && row.arguments != nil, "what is missing is not told")
        guard let process = row.process else { return }
        if process != getpid(), isInit { try promise(row.parent == 1, "a child of the init has another parent") }
        guard row.ending != nil else { return }
        let status = children.first { $0.process == process }?.status
        try promise(status.map(Self.ending) == row.ending, "a process ended in another way")
    }

    /// Of a child that was watched from its execution on, the end is known once it was waited for.
    private func judgeEnds() throws {
        for row in table.rows where row.process.map({ watched.contains($0) && !risen.contains($0) }) ?? false {
            try promise(row.endNanoseconds != nil, "the end of a process was missed")
            try promise(row.ending != nil || !Self.kernelTells, "nobody asked how a process ended")
        }
    }

    /// How a process ended can be asked after its parent has waited for it (Linux 6.15).
    private static let kernelTells: Bool = {
        guard let child = try? FuzzChild() else { return false }
        let descriptor = bailey_pidfd_open(child.process)
        defer { close(descriptor) }
        child.end(code: 0)
        child.reap()
        var status: Int32 = 0
        return bailey_pidfd_exit_status(descriptor, &status) == 0
    }()

    private static func ending(_ status: Int32) -> Ending {
        status & 0x7F == 0 ? .exited(code: status >> 8 & 0xFF) : .signalled(signal: status & 0x7F)
    }
}

/// Time that goes on by one at each look.
private final class CountingTime: TimeSource {
    private let looks = Mutex<UInt64>(0)

    func unixMilliseconds() -> UInt64 { 0 }

    func monotonicNanoseconds() -> UInt64 {
        looks.withLock { count in
            count += 1
            return count
        }
    }
}
