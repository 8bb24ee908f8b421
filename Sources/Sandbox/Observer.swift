import CLinux
import Domain
import Files
import Glibc

/// Takes down what a command executes and where it tries to connect or bind, from the calls that the kernel reports.
///
/// It only records. Each call goes on as if nothing had been there, because its arguments lie in memory that another
/// thread can change between this look and the kernel's: nothing may ever be decided here. The walls stand elsewhere.
final class Observer {
    /// For how long nobody is woken after ends were taken down, unless something else happens: of a burst of short
    /// processes they come many at once, and one that ends then ends up to this much later in the record.
    static let endsPauseNanoseconds: UInt64 = 1_000_000
    /// Descriptors in ``fillWaits(_:from:)``.
    static let waitsCount = 2
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

        init(_ denial: Denial) {
            act = denial.act
            target = denial.target
            rule = denial.rule
        }
    }

    /// What was found of a call while it waited for its answer.
    private struct Finding {
        var caller: ProcessTable.Caller?
        var request = ExecutionRequest(path: nil)
        var arguments: TargetMemory.Arguments?
        var denial: Denial?
        /// Who is denied; it has a row already or gets one.
        var process: Int32 = -1
        /// What that one runs, if it is not known yet.
        var image: ProcessImage?
    }

    private let programs: ProgramLookup
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
    /// Nil while ends wake the supervisor.
    private(set) var endsPauseEndNanoseconds: UInt64?

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
        programs = ProgramLookup(trees: ["/usr", "/opt"] + request.readable + request.mounts.map(\.target))
        processes = ProcessTable(time: time, startNanoseconds: startNanoseconds, programs: programs)
        self.command = command
        self.candidates = candidates
    }

    deinit { if listener >= 0 { close(listener) } }

    /// What to wait for: calls, and ends of processes.
    func fillWaits(_ waits: inout [pollfd], from first: Int) {
        let isPaused = endsPauseEndNanoseconds != nil
        waits[first] = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
        waits[first + 1] = pollfd(fd: isPaused ? -1 : processes.descriptor, events: Int16(POLLIN), revents: 0)
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

    /// Takes down who has ended. Before all else: what a dead process used is gone once its parent has waited for it,
    /// and its id may be that of the next one who calls.
    func collectEnds(_ ready: ArraySlice<pollfd>, at nanoseconds: UInt64) {
        let pauseIsOver = endsPauseEndNanoseconds.map { nanoseconds >= $0 } ?? false
        guard pauseIsOver || ready.contains(where: { $0.revents != 0 }) else { return }
        let count = processes.collectExits()
        if count > 0 {
            endsPauseEndNanoseconds = nanoseconds + Self.endsPauseNanoseconds
        } else if pauseIsOver {
            endsPauseEndNanoseconds = nil
        }
    }

    /// Answers one call that waits.
    ///
    /// - Parameters:
    ///   - ready: the entries of ``fillWaits(_:from:)`` after waiting.
    ///   - catchUp: called before a call of the main process is taken down: reads what the launcher said before it.
    func handle(_ ready: ArraySlice<pollfd>, catchUp: () -> Void) {
        guard let calls = ready.first else { return }
        if calls.revents & Int16(POLLIN) != 0 {
            answerCall(catchUp)
        } else if calls.revents != 0 {
            // Nobody is left whom the filter holds.
            close(listener)
            listener = -1
        }
    }

    private func answerCall(_ catchUp: () -> Void) {
        var call = bailey_notification()
        // A caller that was killed meanwhile has nothing to say any more.
        guard bailey_notification_receive(listener, &call) == 0 else { return }
        if mainProcess < 0 { mainProcess = call.process }
        if call.process == mainProcess { catchUp() }
        let finding = take(call)
        // Whatever needs the caller lies behind us: it goes on before anything is written down.
        let waited = bailey_notification_continue(listener, call.id) == 0
        guard let finding else { return }
        if waited { record(finding) } else if let caller = finding.caller { processes.drop(caller) }
    }

    private func record(_ finding: Finding) {
        if let caller = finding.caller {
            processes.execute(caller, finding.request, arguments: finding.arguments)
        }
        processes.settleAttempt(finding.process, finding.image)
        if let denial = finding.denial { add(denial, finding.process) }
    }

    private func take(_ call: bailey_notification) -> Finding? {
        if call.process == mainProcess, case .proving = beginning { return nil }
        if call.process == mainProcess, case .attempting(let row?) = beginning {
            beginning = .attempting(nil)
            return attempted(row, call)
        }
        switch call.call {
        case BAILEY_CALL_EXECVE: return execution(call, path: call.arguments.0, arguments: call.arguments.1, at: nil)
        case BAILEY_CALL_EXECVEAT:
            let directory = Int32(truncatingIfNeeded: call.arguments.0)
            return execution(call, path: call.arguments.1, arguments: call.arguments.2, at: directory)
        case BAILEY_CALL_CONNECT, BAILEY_CALL_BIND: return address(call, at: call.arguments.1, call.arguments.2)
        case BAILEY_CALL_SENDTO: return address(call, at: call.arguments.4, call.arguments.5)
        case BAILEY_CALL_SENDMSG, BAILEY_CALL_SENDMMSG:
            let place = TargetMemory(process: call.process).destination(message: call.arguments.1)
            return place.flatMap { address(call, at: $0.address, $0.length) }
        default: return nil
        }
    }

    /// The launcher's execution of a candidate, of which the plan says better than memory what it is.
    private func attempted(_ row: Int, _ call: bailey_notification) -> Finding? {
        guard call.call == BAILEY_CALL_EXECVE, candidates.indices.contains(row) else { return nil }
        let caller = processes.caller(call.process)
        return Finding(
            caller: caller,
            request: request(call, Array(candidates[row].utf8), caller),
            arguments: TargetMemory.keep(command.arguments.map { Array($0.utf8) })
        )
    }

    private func execution(
        _ call: bailey_notification,
        path: UInt64,
        arguments: UInt64,
        at directory: Int32?
    ) -> Finding {
        var (name, words) = TargetMemory(process: call.process).execution(path: path, arguments: arguments)
        if let directory, let relative = name, relative.first != UInt8(ascii: "/"), directory != AT_FDCWD {
            // As the kernel itself names it.
            name = Array("/dev/fd/\(directory)".utf8) + (relative.isEmpty ? [] : [UInt8(ascii: "/")] + relative)
        }
        let caller = processes.caller(call.process)
        let denial = name.flatMap { rules.executing($0, process: call.process) }
        return Finding(
            caller: caller,
            request: request(call, name, caller),
            arguments: words,
            denial: denial,
            process: caller.process
        )
    }

    private func request(
        _ call: bailey_notification,
        _ path: [UInt8]?,
        _ caller: ProcessTable.Caller
    ) -> ExecutionRequest {
        let place = path.flatMap { programs.place(of: $0, process: call.process) }
        let presence = programs.presence(at: place)
        return ExecutionRequest(path: path, place: place, presence: presence, before: caller.image)
    }

    private func address(_ call: bailey_notification, at place: UInt64, _ length: UInt64) -> Finding? {
        let length = min(UInt64(SocketAddress.bytesMax), length & 0xFFFF_FFFF)
        let bytes = TargetMemory(process: call.process).bytes(place, Int(length))
        guard bytes.count == Int(length), let address = SocketAddress(bytes) else { return nil }
        let denial =
            switch call.call {
            case BAILEY_CALL_BIND: rules.binding(to: address)
            case BAILEY_CALL_SENDTO where call.arguments.3 & UInt64(BAILEY_MSG_FASTOPEN) == 0:
                rules.reaching(address, by: .send, process: call.process)
            default: rules.reaching(address, by: .connect, process: call.process)
            }
        guard let denial else { return nil }
        // Of one that is counted already, only the first needs a name.
        guard denialRows[DenialKey(denial)] == nil else { return Finding(denial: denial) }
        let process = processes.processID(call.process)
        return Finding(denial: denial, process: process, image: processes.image(process))
    }

    private func add(_ denial: Denial, _ process: Int32) {
        let key = DenialKey(denial)
        if let row = denialRows[key] {
            denials[row].count += 1
            return
        }
        guard denials.count < Self.denialsMax else {
            denialsLeftOut += 1
            return
        }
        var denial = denial
        (denial.process, denial.path) = processes.asker(process)
        denialRows[key] = denials.count
        denials.append(denial)
    }

    /// All that was seen, once the sandbox is dead.
    func finish() -> Observation {
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
