import CLinux
import Domain
import Files
import Glibc

/// Takes down what a command executes and where it tries to connect or bind, from the calls that the kernel reports.
///
/// It only records. Each call goes on as if nothing had been there, because its arguments lie in memory that another
/// thread can change between this look and the kernel's: nothing may ever be decided here. The walls stand elsewhere.
final class Observer {
    /// Calls that are answered before the supervisor looks at its time, its signals and the output again.
    static let callsPerTurnMax = 64
    /// Kinds of denials that are told apart.
    static let denialsMax = 64

    /// The main process before it is the command: the launcher proves its walls, then tries the plan's candidates.
    private enum Beginning {
        case proving
        /// The candidate that is executed next; nil between two.
        case attempting(Int?)
    }

    private struct DenialKey: Hashable {
        let act: Denial.Act
        let target: [UInt8]
        let rule: Denial.Rule
    }

    private let processes: ProcessTable
    private let rules: DenialRules
    private let command: CommandRequest
    private let candidates: [String]
    private var listener: Int32 = -1
    private var state = Observation.State.unavailable
    private var code: Int32?
    private var beginning = Beginning.proving
    private(set) var mainProcess: Int32 = -1
    private var denials: [Denial] = []
    private var denialRows: [DenialKey: Int] = [:]
    private var denialsLeftOut: UInt64 = 0

    /// - Parameters:
    ///   - command: what the launcher executes; it says itself what it does before that.
    ///   - candidates: where the command may lie.
    init(
        _ request: SandboxRequest,
        command: CommandRequest,
        candidates: [String],
        time: any TimeSource,
        startNanoseconds: UInt64
    ) {
        rules = DenialRules(request)
        processes = ProcessTable(time: time, startNanoseconds: startNanoseconds)
        self.command = command
        self.candidates = candidates
    }

    deinit { if listener >= 0 { close(listener) } }

    /// What to wait for: calls, and ends of processes.
    var waits: [pollfd] {
        [
            pollfd(fd: listener, events: Int16(POLLIN), revents: 0),
            pollfd(fd: processes.descriptor, events: Int16(POLLIN), revents: 0),
        ]
    }

    func begin(initProcess: Int32) { processes.initProcess = initProcess }

    /// The launcher's listener, or why there is none. From here on every reported call must be answered.
    func attach(_ newListener: Int32, code: Int32) {
        guard newListener >= 0, listener < 0 else {
            if newListener >= 0 { close(newListener) }
            self.code = code == 0 ? nil : code
            return
        }
        listener = newListener
        // Only quicker: a kernel that does not know it answers just as well.
        _ = bailey_listener_stay(listener)
        state = .complete
    }

    /// The launcher has proved its walls.
    func beginAttempts() { beginning = .attempting(nil) }

    /// The launcher executes this candidate next.
    func attempt(_ row: Int) { beginning = .attempting(row) }

    func saw(_ peaks: [Int32: UInt64]) { processes.saw(peaks) }

    /// Takes down who has ended. Before all else: what a dead process used is gone once its parent has waited for it.
    func collectEnds(_ ready: ArraySlice<pollfd>) {
        if let ends = ready.last, ends.revents != 0 { processes.collectExits() }
    }

    /// Answers what waits, within a bound.
    ///
    /// - Parameters:
    ///   - ready: ``waits`` after waiting.
    ///   - catchUp: called before a call of the main process is taken down: reads what the launcher said before it.
    func handle(_ ready: ArraySlice<pollfd>, catchUp: () -> Void) {
        guard let calls = ready.first else { return }
        if calls.revents & Int16(POLLIN) != 0 {
            answerCalls(catchUp)
        } else if calls.revents != 0 {
            // Nobody is left whom the filter holds.
            close(listener)
            listener = -1
        }
    }

    private func answerCalls(_ catchUp: () -> Void) {
        var call = bailey_notification()
        for _ in 0..<Self.callsPerTurnMax {
            // A caller that was killed meanwhile has nothing to say any more.
            guard bailey_notification_waits(listener) == 1, bailey_notification_receive(listener, &call) == 0 else {
                return
            }
            if mainProcess < 0 { mainProcess = call.process }
            if call.process == mainProcess { catchUp() }
            take(call)
            _ = bailey_notification_continue(listener, call.id)
        }
    }

    private func take(_ call: bailey_notification) {
        if call.process == mainProcess, takeBeginning(call) { return }
        switch call.call {
        case BAILEY_CALL_EXECVE: takeExecution(call, path: call.arguments.0, arguments: call.arguments.1, at: nil)
        case BAILEY_CALL_EXECVEAT:
            let directory = Int32(truncatingIfNeeded: call.arguments.0)
            takeExecution(call, path: call.arguments.1, arguments: call.arguments.2, at: directory)
        case BAILEY_CALL_CONNECT, BAILEY_CALL_BIND: takeAddress(call)
        default: break
        }
    }

    /// True for the launcher's own calls: the self-test's, and the execution of a candidate, of which the plan says
    /// better than memory what it is.
    private func takeBeginning(_ call: bailey_notification) -> Bool {
        switch beginning {
        case .proving: return true
        case .attempting(nil): return false
        case .attempting(let row?):
            beginning = .attempting(nil)
            guard call.call == BAILEY_CALL_EXECVE, candidates.indices.contains(row) else { return true }
            let path = Array(candidates[row].utf8)
            let arguments = command.arguments.map { Array($0.utf8) }
            processes.execute(thread: call.process, path: path, arguments: TargetMemory.keep(arguments))
            return true
        }
    }

    private func takeExecution(_ call: bailey_notification, path: UInt64, arguments: UInt64, at directory: Int32?) {
        let memory = TargetMemory(process: call.process)
        var name = memory.text(path, bytesMax: TargetMemory.pathBytesMax)
        let words = memory.arguments(arguments)
        guard bailey_notification_is_valid(listener, call.id) == 0 else { return }
        if let directory, let relative = name, relative.first != UInt8(ascii: "/"), directory != AT_FDCWD {
            // As the kernel itself names it.
            name = Array("/dev/fd/\(directory)".utf8) + (relative.isEmpty ? [] : [UInt8(ascii: "/")] + relative)
        }
        processes.execute(thread: call.process, path: name, arguments: words)
        if let name, let denial = rules.executing(name, process: call.process) { add(denial, call.process) }
    }

    private func takeAddress(_ call: bailey_notification) {
        let length = min(UInt64(SocketAddress.bytesMax), call.arguments.2 & 0xFFFF_FFFF)
        let bytes = TargetMemory(process: call.process).bytes(call.arguments.1, Int(length))
        guard bytes.count == Int(length), bailey_notification_is_valid(listener, call.id) == 0,
            let address = SocketAddress(bytes)
        else { return }
        let denial =
            call.call == BAILEY_CALL_BIND
            ? rules.binding(to: address) : rules.connecting(to: address, process: call.process)
        if let denial { add(denial, call.process) }
    }

    private func add(_ denial: Denial, _ thread: Int32) {
        let key = DenialKey(act: denial.act, target: denial.target, rule: denial.rule)
        if let row = denialRows[key] {
            denials[row].count += 1
            return
        }
        guard denials.count < Self.denialsMax else {
            denialsLeftOut += 1
            return
        }
        var denial = denial
        let process = processes.known(thread: thread)
        denial.process = process?.process
        denial.path = process?.path
        denialRows[key] = denials.count
        denials.append(denial)
    }

    /// All that was seen, once the sandbox is dead.
    func finish() -> Observation {
        processes.collectExits()
        processes.finish()
        var observation = Observation()
        observation.state = state
        observation.code = code
        observation.processes = processes.rows
        observation.processesLeftOut = processes.leftOut
        observation.denials = denials
        observation.denialsLeftOut = denialsLeftOut
        return observation
    }
}
