import CLinux
import Domain
import Files
import Glibc
import LauncherCore

/// Watches one sandbox from start to end: moves its bytes, keeps its time, forwards signals, kills it when it must.
///
/// One thread, one poll loop. It returns when the kernel says that the sandbox's init is gone, which is after every
/// process in it.
final class Supervisor {
    private let request: SandboxRequest
    private let prepared: PreparedSandbox
    private let time: any TimeSource
    private let signals: Descriptor
    private var budget: OutputBudget
    private var watchdog: Watchdog
    private let observer: Observer
    /// What a turn waits for: signals, the launcher, the init, the network's broker, requests to the run, then the
    /// streams, then what is observed.
    private var waits = [pollfd](
        repeating: pollfd(fd: -1, events: 0, revents: 0),
        count: Supervisor.observedRow + Observer.waitsCount
    )
    private static let controlRow = 4
    private static let streamsRow = controlRow + ControlSocket.waitsCount
    private static let observedRow = streamsRow + StreamSet.waitsCount
    private var sandbox: Descriptor?
    private var initProcess: Int32 = -1
    private let startNanoseconds: UInt64
    private var nextLookNanoseconds: UInt64
    private var statusEnded = false
    private var failure: StatusMessage?
    private var exit: StatusMessage?
    private var cause: KillCause?
    /// When the tree was killed; what it wrote before that is passed on for a moment.
    private var killedNanoseconds: UInt64 = 0

    /// How long a reader of ours may take for what a killed command had written.
    private static let drainNanoseconds: UInt64 = 1_000_000_000
    private static let watchedSignals: [Int32] = [SIGINT, SIGTERM, SIGHUP, SIGWINCH, SIGCONT]

    init(
        plan: LaunchPlan,
        command: CommandRequest,
        request: SandboxRequest,
        prepared: PreparedSandbox,
        time: any TimeSource
    ) throws {
        self.request = request
        self.prepared = prepared
        self.time = time
        signals = Descriptor(
            owning: try SystemError.check(
                "signalfd",
                bailey_signals_open(Self.watchedSignals, Int32(Self.watchedSignals.count))
            )
        )
        startNanoseconds = time.monotonicNanoseconds()
        nextLookNanoseconds = startNanoseconds + Watchdog.intervalNanoseconds
        budget = OutputBudget(request.limits, startNanoseconds: startNanoseconds)
        watchdog = Watchdog(request, watchesMemory: prepared.group == nil)
        observer = Observer(
            request,
            command: command,
            candidates: plan.candidates,
            time: time,
            startNanoseconds: startNanoseconds
        )
        try prepared.launcher.begin(plan)
    }

    /// Signals that came while there was a sandbox were meant for it; from now on they are ours again.
    deinit {
        while bailey_next_signal(signals.raw) != 0 {}
        bailey_signals_release(Self.watchedSignals, Int32(Self.watchedSignals.count))
    }

    private var streams: StreamSet { prepared.streams }
    private var group: MemoryGroup? { prepared.group }
    private var network: NetworkService? { prepared.network }

    func run(onStart: () -> Void) throws(SandboxError) -> Outcome {
        while !isOver { step(onStart) }
        prepared.reap()
        network?.finish(time)
        if let reason = network?.failure, cause == nil { throw NetworkService.failed(reason) }
        if let failure, cause == nil { throw LaunchFailureText.error(failure, request) }
        return outcome()
    }

    /// The sandbox is dead and all that it said has been passed on.
    private var isOver: Bool { statusEnded && sandbox == nil && streams.outputIsFinished }

    private func step(_ onStart: () -> Void) {
        let now = time.monotonicNanoseconds()
        waits[0] = pollfd(fd: signals.raw, events: Int16(POLLIN), revents: 0)
        waits[1] = pollfd(fd: statusEnded ? -1 : prepared.launcher.status.raw, events: Int16(POLLIN), revents: 0)
        waits[2] = pollfd(fd: sandboxDescriptor, events: Int16(POLLIN), revents: 0)
        let isHeld = budget.isExhausted(at: now)
        waits[3] = pollfd(fd: network?.pollDescriptor ?? -1, events: Int16(POLLIN), revents: 0)
        network?.fillControlWaits(&waits, from: Self.controlRow)
        streams.fillWaits(&waits, from: Self.streamsRow, holdsOutput: isHeld)
        observer.fillWaits(&waits, from: Self.observedRow)
        _ = poll(&waits, nfds_t(waits.count), Int32(timeoutMilliseconds(now, isHeld: isHeld)))
        observer.collectEnds(waits[Self.observedRow...], at: time.monotonicNanoseconds())
        if waits[0].revents != 0 { handleSignals() }
        if waits[1].revents != 0 { handleStatus(onStart) }
        if waits[3].revents != 0 { handleNetwork() }
        network?.handleControl(waits[Self.controlRow..<Self.streamsRow])
        streams.handle(waits[Self.streamsRow..<Self.observedRow])
        observer.handle(waits[Self.observedRow...]) { catchUp(onStart) }
        if waits[2].revents != 0 {
            sandbox = nil
            streams.endInput()
        }
        enforce(time.monotonicNanoseconds())
    }

    private var sandboxDescriptor: Int32 {
        switch sandbox {
        case .some(let descriptor): descriptor.raw
        case .none: -1
        }
    }

    private func timeoutMilliseconds(_ now: UInt64, isHeld: Bool) -> UInt64 {
        guard sandbox != nil else { return 100 }
        var next = nextLookNanoseconds
        if let limit = request.limits.timeoutSeconds {
            next = min(next, startNanoseconds + UInt64(limit * 1e9))
        }
        if let pauseEnd = observer.endsPauseEndNanoseconds { next = min(next, pauseEnd) }
        if isHeld { next = min(next, now + OutputBudget.pauseNanoseconds) }
        if let tick = network?.nextTick(since: startNanoseconds) { next = min(next, tick) }
        return next <= now ? 0 : (next - now) / 1_000_000 + 1
    }

    private func handleSignals() {
        while true {
            let signal = bailey_next_signal(signals.raw)
            switch signal {
            case 0: return
            case SIGWINCH: streams.copyWindowSize()
            case SIGCONT: streams.resumeTerminal()
            case SIGINT: end(.interrupted)
            case SIGHUP: hangUp()
            default: end(.terminated)
            }
        }
    }

    /// The terminal is gone, and the run ends. What is to be written down then takes longer than a shell, which tells
    /// its jobs once more before it goes too.
    private func hangUp() {
        signal(SIGHUP, SIG_IGN)
        end(.terminated)
    }

    private func handleStatus(_ onStart: () -> Void) {
        guard let (message, descriptor) = prepared.launcher.receive() else {
            statusEnded = true
            return
        }
        switch message.kind {
        case .started:
            sandbox = descriptor >= 0 ? Descriptor(owning: descriptor) : nil
            initProcess = Int32(truncatingIfNeeded: message.number)
            observer.begin(initProcess: initProcess)
            if cause != nil { killSandbox() }
        case .terminal:
            if descriptor >= 0 { streams.attachTerminal(Descriptor(owning: descriptor)) }
            prepared.launcher.proceed()
        case .listening:
            if let network {
                network.hand(Int(message.number), descriptor)
            } else if descriptor >= 0 {
                close(descriptor)
            }
        case .observing: observer.attach(descriptor, code: message.code)
        case .ready:
            observer.beginAttempts()
            onStart()
        case .attempting: observer.attempt(Int(message.number))
        // The first half that fails says why; the other one can only add that the first is gone.
        case .failed: failure = failure ?? message
        case .exited: exit = message
        }
    }

    /// Reads what the launcher has said already.
    private func catchUp(_ onStart: () -> Void) {
        while !statusEnded {
            var wait = pollfd(fd: prepared.launcher.status.raw, events: Int16(POLLIN), revents: 0)
            guard poll(&wait, 1, 0) == 1 else { return }
            handleStatus(onStart)
        }
    }

    /// The command begins when the broker serves. A network that does not begin is no run; one that is gone later is no
    /// way out, and the run goes on.
    private func handleNetwork() {
        guard let network else { return }
        if network.handle(at: time.monotonicNanoseconds()) { prepared.launcher.proceed() }
    }

    private func enforce(_ now: UInt64) {
        if let network {
            network.tick(at: now, since: startNanoseconds)
            if network.failure != nil { killSandbox() }
        }
        budget.update(streams.outputBytes, at: now)
        if budget.isOver { end(.output) }
        guard sandbox != nil else {
            if cause != nil, now >= killedNanoseconds + Self.drainNanoseconds { streams.abandonOutput() }
            return
        }
        if streams.terminalIsGone { hangUp() }
        if let limit = request.limits.timeoutSeconds, Double(now - startNanoseconds) >= limit * 1e9 { end(.timeout) }
        guard now >= nextLookNanoseconds else { return }
        if let found = watchdog.look(at: initProcess) { end(found) }
        observer.saw(watchdog.peaks)
        if let group, group.killCount > 0 { end(.memory) }
        nextLookNanoseconds = time.monotonicNanoseconds() + Watchdog.intervalNanoseconds
    }

    /// Ends the whole tree; the first cause stands. What was written before is passed on while somebody reads it: a
    /// reader that was stopped must not hold up a deadline or a signal.
    private func end(_ newCause: KillCause) {
        guard cause == nil else { return }
        cause = newCause
        killedNanoseconds = time.monotonicNanoseconds()
        killSandbox()
        if newCause == .output { streams.abandonOutput() }
    }

    /// Killing the init kills its pid namespace. Before it exists there is only the launcher.
    private func killSandbox() {
        if sandbox != nil {
            _ = bailey_pidfd_send_signal(sandboxDescriptor, SIGKILL)
        } else if !statusEnded {
            kill(prepared.launcher.processID, SIGKILL)
        }
    }

    private func outcome() -> Outcome {
        var usage = Usage()
        usage.wallSeconds = Double(time.monotonicNanoseconds() - startNanoseconds) / 1e9
        usage.cpuSeconds = max(exit.map { Double($0.cpuMicroseconds) / 1e6 } ?? 0, watchdog.cpuSeconds)
        let peak = max(exit.map { $0.peakKibibytes * 1024 } ?? 0, watchdog.peakMemoryBytes)
        usage.peakMemoryBytes = max(peak, group?.peakBytes ?? 0)
        (usage.standardOutputBytes, usage.standardErrorBytes) = streams.outputBytes
        var outcome = Outcome(
            ending: ending,
            cause: finalCause,
            usage: usage,
            engine: NativeEngine.name,
            layers: [],
            mechanisms: mechanisms
        )
        outcome.observation = observer.finish()
        outcome.network = network?.use
        outcome.models = network?.modelUse
        return outcome
    }

    /// No report of an exit means that the init was killed, by us or by the kernel.
    private var ending: Ending {
        guard let status = exit.map({ Int32(truncatingIfNeeded: $0.number) }), cause == nil else {
            return .signalled(signal: SIGKILL)
        }
        return status & 0x7F == 0 ? .exited(code: status >> 8 & 0xFF) : .signalled(signal: status & 0x7F)
    }

    /// A command that the kernel killed over a limit was killed by that limit.
    private var finalCause: KillCause? {
        if let cause { return cause }
        if case .signalled(SIGXCPU) = ending { return .cpuTime }
        if case .signalled(SIGKILL) = ending {
            if (group?.killCount ?? 0) > 0 { return .memory }
            if watchdog.cpuSeconds >= Double(request.limits.cpuSeconds) { return .cpuTime }
        }
        // The init always tells how the command ended, unless it was ended itself.
        return exit == nil ? .sandboxDied : nil
    }

    private var mechanisms: [LimitName: LimitMechanism] {
        [
            .timeout: request.limits.timeoutSeconds == nil ? .none : .timer,
            .memory: group?.mechanism ?? .watchdog,
            .processes: .rlimit,
            .cpuTime: .watchdog,
            .output: request.limits.outputBytes == nil ? .none : .pump,
            .workspaceBytes: request.isLive ? .none : .watchdog,
            .workspaceFiles: request.isLive ? .none : .watchdog,
            .openFiles: .rlimit,
        ]
    }
}
