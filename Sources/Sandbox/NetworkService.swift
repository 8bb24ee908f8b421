package import BrokerLink
import Domain
import Egress
import Files
import Glibc

/// The network of one run as its supervisor sees it: what is made inside, the broker that serves it, and what the
/// broker tells. It decides nothing.
package final class NetworkService {
    /// What becomes of a report's sum: to be written down. An error ends the network, since nothing goes out unseen.
    package typealias Sink = ([ConnectionRecord]) throws -> Void
    /// The same for requests to models, which are written down at once.
    package typealias ModelSink = ([ModelReport]) throws -> Void

    /// Whoever changes what may be reached while the run lives.
    package struct Steward {
        /// Nil where the run takes no requests.
        package let socket: ControlSocket?
        /// Called at every turn; nanoseconds until it must be again, nil where nothing waits.
        package let tick: () -> UInt64?

        package init(socket: ControlSocket?, tick: @escaping () -> UInt64?) {
            self.socket = socket
            self.tick = tick
        }
    }

    private enum State {
        /// The broker is being told, and the sandbox's listeners come in.
        case starting
        case serving
        case over
    }

    /// The sockets that the launcher makes, in the plan's order.
    package let listeners: [ListenerRequest]
    private let broker: BrokerProcess
    private let lease: HostIdentity.Lease?
    /// What makes sockets inside later, started when the first is needed.
    private let makerPath: String
    /// How many it makes.
    private let laterListenersMax: Int
    private var maker: MakerProcess?
    private var needsMaker: Bool
    /// One of the sandbox's sockets, by which its network is found later; -1 where there is none.
    private var inside: Int32 = -1
    private var steward: Steward?
    private var logins: (any LoginKeeping)?
    /// Replaced settings that the broker has not said to be in force yet.
    private var unsettled = 0
    /// When the steward wants to be asked again, on the supervisor's clock, and when the keeper of logins does.
    private var stewardNanoseconds: UInt64?
    private var loginNanoseconds: UInt64?
    private var state = State.starting
    private var handed = 0
    private var pending: [ConnectionRecord] = []
    private var flushedNanoseconds: UInt64 = 0
    private(set) var use = NetworkUse()
    /// Why the network could not begin: the command must not either.
    private(set) var failure: String?
    private var sink: Sink?
    private var modelSink: ModelSink?
    /// Told in this turn, and not written down yet.
    private var pendingModels: [ModelReport] = []
    /// Nil for a run to which no provider of models was given.
    private var models: ModelAccounts?
    private var budget = ConnectionBudget()
    /// The certificate of the run's own authority, once the broker has made it.
    private var authority: String?
    /// What services outside are verified against, the declared upstreams' own roots among them.
    private let roots: [String]

    /// A broker that takes longer than this to begin is none.
    static let startNanoseconds: UInt64 = 20_000_000_000
    /// How long it may take to put other settings in force.
    private static let replaceMilliseconds: Int32 = 5000
    /// How long it may be silent at the end before it has told its last, and how long that may take in all.
    private static let lastWordsNanoseconds: UInt64 = 1_500_000_000
    private static let lastWordsNanosecondsMax: UInt64 = 10_000_000_000
    /// Records are written down in batches of so many, or when this time is over.
    private static let batchMax = 128
    private static let batchNanoseconds: UInt64 = 250_000_000
    /// Reports that one turn of the supervisor takes.
    private static let reportsPerTurn = 256

    /// Starts the broker. It confines itself while the caller goes on.
    ///
    /// - Parameters:
    ///   - published: sockets of the host that lead in; they are the broker's alone from here on.
    ///   - secrets: values of the settings' secrets, by their places there, in sealed memory that stays the caller's.
    ///   - makerPath: the launcher, for sockets inside that are needed later: listeners of names, ways to published
    ///     ports.
    ///   - lease: root's broker becomes its user.
    package init(
        brokerPath: String,
        settings: BrokerSettings,
        listeners: [ListenerRequest],
        published: [HostListener],
        secrets: [(place: UInt16, memory: Int32)] = [],
        makerPath: String,
        lease: consuming HostIdentity.Lease?
    ) throws {
        self.listeners = listeners
        self.makerPath = makerPath
        laterListenersMax = settings.limits.listeners
        needsMaker = !published.isEmpty || Self.hasOtherPorts(settings.policy, than: listeners)
        if !settings.providers.isEmpty {
            models = ModelAccounts((settings.models.tokensMax, settings.models.microdollarsMax))
        }
        roots = [settings.roots] + Set(settings.upstreamRoots.values).sorted()
        let user = lease?.identity.hostUserID
        self.lease = lease
        broker = try BrokerProcess(path: brokerPath, user: user)
        let memory = try SealedMemory.make(SettingsDocument.bytes(settings))
        defer { Glibc.close(memory) }
        do {
            try order(.settings, memory)
            for secret in secrets { try order(.secret(secret.place), secret.memory) }
            try withExtendedLifetime(published) {
                for listener in published { try order(.listener(listener.request), listener.descriptor) }
            }
        } catch {
            throw Self.failed(broker.ending())
        }
    }

    static func failed(_ reason: String) -> SandboxError {
        SandboxError(
            .setup,
            "start the network of the run: \(reason)",
            hint: "Nothing was executed. Run `bailey doctor`, or run without a network."
        )
    }

    /// What programs inside trust: the host's roots, those of declared upstreams, since their TLS may come through as
    /// it is, and the run's own authority, which vouches for what is terminated.
    ///
    /// Waits until the broker has made it, some milliseconds after its start.
    func trustBundle() throws(SandboxError) -> String {
        for _ in 0..<Self.trustWaitsMax where authority == nil && state == .starting {
            var wait = pollfd(fd: broker.link.descriptor, events: Int16(POLLIN), revents: 0)
            if poll(&wait, 1, Self.trustWaitMilliseconds) == 1 { _ = handle(at: 0) }
        }
        guard let authority else { throw Self.failed(failure ?? "it made no authority in time") }
        return (roots + [authority]).filter { !$0.isEmpty }.map { $0.hasSuffix("\n") ? $0 : $0 + "\n" }.joined()
    }

    private static let trustWaitsMax = 200
    private static let trustWaitMilliseconds: Int32 = 100

    /// Who writes down what the broker tells.
    package func report(to sink: @escaping Sink) { self.sink = sink }

    /// Who writes down what the broker tells of models.
    package func reportModels(to sink: @escaping ModelSink) { modelSink = sink }

    /// What models were used for; nil for a run to which none was given.
    var modelUse: ModelUse? { models?.use }

    /// Who may change what may be reached; it is asked once the network serves.
    package func give(to steward: Steward) { self.steward = steward }

    /// Who keeps the files of the run's logins.
    package func give(to logins: any LoginKeeping) { self.logins = logins }

    /// Gives the broker a secret's value anew.
    ///
    /// - Parameter memory: sealed; it stays the caller's.
    package func renew(secret place: UInt16, memory: Int32) {
        guard state != .over else { return }
        do { try order(.secret(place), memory) } catch { breakDown("\(error)") }
    }

    /// Puts other settings in force, whole, and returns when they are. Connections that they forbid are closed. Where
    /// that cannot be done the network is over: nobody knows then what may be reached.
    package func replace(_ settings: BrokerSettings) throws(SandboxError) {
        do {
            guard state == .serving else { throw LinkError("the network is over") }
            let memory = try SealedMemory.make(SettingsDocument.bytes(settings))
            defer { Glibc.close(memory) }
            if Self.hasOtherPorts(settings.policy, than: listeners) { try startMaker() }
            unsettled += 1
            try order(.settings, memory)
            var wait = pollfd(fd: broker.link.descriptor, events: Int16(POLLIN), revents: 0)
            while state == .serving, unsettled > 0 {
                guard poll(&wait, 1, Self.replaceMilliseconds) == 1 else {
                    if errno == EINTR { continue }
                    throw LinkError("the broker did not take the settings in time")
                }
                _ = handle(at: flushedNanoseconds)
            }
            guard state == .serving else { throw LinkError("the network is over") }
        } catch {
            breakDown("change what may be reached: \(error)")
            throw SandboxError(.setup, "change what the run may reach: \(error)")
        }
    }

    /// Ends the network: what must be recorded of it cannot be.
    package func end(because reason: String) { breakDown(reason) }

    /// What to wait for; -1 when there is nothing to wait for any more.
    var pollDescriptor: Int32 { state == .over ? -1 : broker.link.descriptor }

    /// Nil while nobody may ask for anything.
    private var control: ControlSocket? { state == .serving ? steward?.socket : nil }

    func fillControlWaits(_ waits: inout [pollfd], from row: Int) {
        if let control { return control.fillWaits(&waits, from: row) }
        for place in 0..<ControlSocket.waitsCount { waits[row + place] = pollfd(fd: -1, events: 0, revents: 0) }
    }

    func handleControl(_ waits: ArraySlice<pollfd>) { control?.handle(waits) }

    /// Takes a socket of the sandbox's and hands it on. After the last one the broker begins.
    func hand(_ row: Int, _ descriptor: Int32) {
        defer { if descriptor >= 0 { Glibc.close(descriptor) } }
        guard state == .starting, descriptor >= 0, row == handed, listeners.indices.contains(row) else {
            return breakDown("the sandbox's listeners came out of order")
        }
        handed += 1
        do {
            if row == 0 {
                inside = fcntl(descriptor, F_DUPFD_CLOEXEC, 3)
                if needsMaker { try startMaker() }
            }
            try order(.listener(listeners[row]), descriptor)
            if handed == listeners.count { try order(.begin) }
        } catch {
            breakDown("\(error)")
        }
    }

    /// Takes what the broker tells. True once, when it begins to serve.
    func handle(at now: UInt64) -> Bool {
        var hasBegun = false
        for _ in 0..<Self.reportsPerTurn {
            guard state != .over else { break }
            do {
                switch try broker.link.receive(bytesMax: BrokerReport.bytesMax, waits: false) {
                case .nothing:
                    flushModels()
                    flush(at: now)
                    return hasBegun
                case .end: breakDown(broker.ending())
                case .packet(let packet):
                    // It has nothing to hand over.
                    if packet.descriptor >= 0 { Glibc.close(packet.descriptor) }
                    guard let report = BrokerReport(packet.bytes), packet.descriptor < 0 else {
                        throw LinkError("the broker said something that is not understood")
                    }
                    hasBegun = take(report) || hasBegun
                }
            } catch {
                breakDown("\(error)")
            }
        }
        flushModels()
        flush(at: now)
        return hasBegun
    }

    /// What time alone brings: a broker that does not begin, and records that have waited long enough.
    func tick(at now: UInt64, since start: UInt64) {
        if state == .starting, now > start + Self.startNanoseconds { breakDown("it did not begin in time") }
        if state == .serving, let steward { stewardNanoseconds = steward.tick().map { now + $0 } }
        if state == .serving, let logins { loginNanoseconds = logins.tick().map { now + $0 } }
        flush(at: now)
    }

    /// When to look again; nil where nothing waits.
    func nextTick(since start: UInt64) -> UInt64? {
        if state == .starting { return start + Self.startNanoseconds }
        let record = pending.isEmpty ? nil : flushedNanoseconds + Self.batchNanoseconds
        let others = state == .serving ? [stewardNanoseconds, loginNanoseconds] : []
        return ([record] + others).compactMap { $0 }.min()
    }

    /// The sandbox is dead: the broker tells its last and goes.
    func finish(_ time: any TimeSource) {
        if state == .serving, !hearLastWords(time), state == .serving {
            // Connections that were open are recorded when they end, and now nobody tells of them.
            use.breakdown = "it did not tell all of its connections at the end"
        }
        close()
        flush(at: .max)
    }

    /// True if it told all that there was and went.
    private func hearLastWords(_ time: any TimeSource) -> Bool {
        guard (try? order(.end)) != nil else { return false }
        let last = time.monotonicNanoseconds() + Self.lastWordsNanosecondsMax
        // What a provider gave is lost unless it is written down.
        let silence = logins?.isBusy == true ? Self.lastWordsNanosecondsMax : Self.lastWordsNanoseconds
        var end = time.monotonicNanoseconds() + silence
        var wait = pollfd(fd: broker.link.descriptor, events: Int16(POLLIN), revents: 0)
        while state == .serving {
            let now = time.monotonicNanoseconds()
            guard now < end, poll(&wait, 1, Int32((end - now) / 1_000_000)) == 1 else { return false }
            switch try? broker.link.receive(bytesMax: BrokerReport.bytesMax, waits: false) {
            case .packet(let packet):
                if packet.descriptor >= 0 { Glibc.close(packet.descriptor) }
                guard let report = BrokerReport(packet.bytes), packet.descriptor < 0 else { return false }
                if report == .finished { return true }
                _ = take(report)
                end = min(last, time.monotonicNanoseconds() + silence)
            case .end, .nothing, nil: return false
            }
        }
        return false
    }

    private func take(_ report: BrokerReport) -> Bool {
        switch report {
        case .settled(let authority):
            self.authority = self.authority ?? authority
            unsettled = max(0, unsettled - 1)
        case .ready:
            guard state == .starting, handed == listeners.count else { break }
            state = .serving
            return true
        case .record(let record): add(record)
        case .model(let report): account(report)
        case .loginStale(let place): stale(place)
        case .loginRenewed(let place, let tokens): logins?.renewed(place, tokens)
        case .loginSettled(let place): logins?.settled(place)
        case .leftOut(let count): use.refusalsLeftOut += count
        case .failed(let reason): breakDown(Printable.text(reason))
        case .finished: breakDown("it went before it was told to")
        }
        return false
    }

    private func stale(_ place: UInt16) {
        logins?.stale(place)
        loginNanoseconds = 0
    }

    private func add(_ record: ConnectionRecord) {
        if record.verdict == .deny {
            let refusal = NetworkUse.Refusal(
                target: record.port == 0 ? record.host : "\(record.host):\(record.port)",
                rule: record.rule,
                reason: record.reason,
                remedy: record.remedy
            )
            // What is asked for again and again is written down for its first time, and counted.
            guard use.add(refusal) else { return }
        } else {
            use.connections += 1
            use.bytesOut &+= record.bytesOut
            use.bytesIn &+= record.bytesIn
            if let excess = budget.take(record) { return breakDown(excess) }
        }
        pending.append(record)
    }

    private func account(_ report: ModelReport) {
        do {
            guard models != nil else { throw LinkError("the broker told of models, and the run has none") }
            try models?.take(report)
            if case .refused = report { return }
            pendingModels.append(report)
        } catch {
            breakDown("\(error)")
        }
    }

    /// At the end of each turn, all that came in it together.
    private func flushModels() {
        guard !pendingModels.isEmpty else { return }
        let reports = pendingModels
        pendingModels = []
        do { try modelSink?(reports) } catch { breakDown("its records cannot be written down: \(error)") }
    }

    /// Hears what the broker told before nothing more can be heard of it, and closes what it will never tell of. It
    /// sends nothing that it could not tell of first.
    private func closeAccounts() {
        guard models != nil else { return }
        broker.link.sayEnd()
        while case .packet(let packet)? = try? broker.link.receive(bytesMax: BrokerReport.bytesMax, waits: false) {
            if packet.descriptor >= 0 { Glibc.close(packet.descriptor) }
            guard case .model(let report)? = BrokerReport(packet.bytes), (try? models?.take(report)) != nil else {
                continue
            }
            if case .refused = report { continue }
            pendingModels.append(report)
        }
        pendingModels += models?.closeAll() ?? []
        let reports = pendingModels
        pendingModels = []
        guard !reports.isEmpty else { return }
        do { try modelSink?(reports) } catch { use.breakdown = "its records cannot be written down: \(error)" }
    }

    private func flush(at now: UInt64) {
        guard !pending.isEmpty else { return }
        guard now >= flushedNanoseconds &+ Self.batchNanoseconds || pending.count >= Self.batchMax else { return }
        flushedNanoseconds = now == .max ? 0 : now
        let records = pending
        pending = []
        do { try sink?(records) } catch { breakDown("its records cannot be written down: \(error)") }
    }

    /// There is no network any more: with the broker the kernel closes every socket of it.
    private func breakDown(_ reason: String) {
        guard state != .over else { return }
        if state == .starting { failure = reason } else { use.breakdown = reason }
        close()
    }

    private func close() {
        guard state != .over else { return }
        state = .over
        closeAccounts()
        broker.leave()
        maker = nil
        steward = nil
        logins = nil
        if inside >= 0 { Glibc.close(inside) }
        inside = -1
    }

    deinit { if inside >= 0 { Glibc.close(inside) } }

    /// It finds the sandbox's network by a socket from there, and hears the broker alone.
    private func startMaker() throws {
        guard maker == nil else { return }
        guard inside >= 0 else { throw LinkError("make sockets inside: the sandbox's network is not known") }
        let maker = try MakerProcess(path: makerPath, socket: inside, socketsMax: laterListenersMax)
        let link = try maker.takeLink()
        // It closes with the object, and must not before it was sent.
        try withExtendedLifetime(link) { try order(.maker, link.descriptor) }
        self.maker = maker
    }

    /// True where a name may be reached on a port that no socket from the start listens on.
    private static func hasOtherPorts(_ policy: NetworkPolicy, than listeners: [ListenerRequest]) -> Bool {
        let known = Set(listeners.filter { $0.role == .transparent }.map(\.port))
        let used = (policy.allow ?? []).map(\.port) + policy.upstreams.map(\.port)
        return used.contains { !known.contains($0) }
    }

    private func order(_ order: BrokerOrder, _ descriptor: Int32 = -1) throws {
        guard case .sent = try broker.link.send(order.bytes, descriptor: descriptor) else {
            throw LinkError("tell the broker: it is gone")
        }
    }
}
