package import BrokerLink
import Domain
import Files
import Glibc

/// The network of one run as its supervisor sees it: what is made inside, the broker that serves it, and what the
/// broker tells. It decides nothing.
package final class NetworkService {
    /// What becomes of a report's sum: to be written down. An error ends the network, since nothing goes out unseen.
    package typealias Sink = ([ConnectionRecord]) throws -> Void

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
    /// What makes listeners later; nil where every port has its socket from the start.
    private let makerPath: String?
    private var maker: MakerProcess?
    private var state = State.starting
    private var handed = 0
    private var pending: [ConnectionRecord] = []
    private var flushedNanoseconds: UInt64 = 0
    private(set) var use = NetworkUse()
    /// Why the network could not begin: the command must not either.
    private(set) var failure: String?
    private var sink: Sink?
    /// The certificate of the run's own authority, once the broker has made it.
    private var authority: String?
    /// What services outside are verified against, the declared upstreams' own roots among them.
    private let roots: [String]

    /// A broker that takes longer than this to begin is none.
    static let startNanoseconds: UInt64 = 20_000_000_000
    /// How long it may take at the end to tell its last.
    private static let lastWordsNanoseconds: UInt64 = 1_500_000_000
    /// Each is a line of the journal, and a journal has an end.
    private static let connectionsMax: UInt64 = 1_000_000
    /// Records are written down in batches of so many, or when this time is over.
    private static let batchMax = 128
    private static let batchNanoseconds: UInt64 = 250_000_000
    /// Reports that one turn of the supervisor takes.
    private static let reportsPerTurn = 256

    /// Starts the broker. It confines itself while the caller goes on.
    ///
    /// - Parameters:
    ///   - published: sockets of the host that lead in; they are the broker's alone from here on.
    ///   - makerPath: the launcher, where sockets inside are needed later: listeners of names, ways to published ports.
    ///   - lease: root's broker becomes its user.
    package init(
        brokerPath: String,
        settings: BrokerSettings,
        listeners: [ListenerRequest],
        published: [HostListener],
        makerPath: String?,
        lease: consuming HostIdentity.Lease?
    ) throws {
        self.listeners = listeners
        self.makerPath = makerPath
        roots = [settings.roots] + Set(settings.upstreamRoots.values).sorted()
        let user = lease?.identity.hostUserID
        self.lease = lease
        broker = try BrokerProcess(path: brokerPath, user: user)
        let memory = try SealedMemory.make(SettingsDocument.bytes(settings))
        defer { close(memory) }
        do {
            try order(.settings, memory)
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

    /// Other settings, whole. Connections that they forbid are closed.
    package func replace(_ settings: BrokerSettings) throws {
        let memory = try SealedMemory.make(SettingsDocument.bytes(settings))
        defer { close(memory) }
        try order(.settings, memory)
    }

    /// What to wait for; -1 when there is nothing to wait for any more.
    var pollDescriptor: Int32 { state == .over ? -1 : broker.link.descriptor }

    /// Takes a socket of the sandbox's and hands it on. After the last one the broker begins.
    func hand(_ row: Int, _ descriptor: Int32) {
        defer { if descriptor >= 0 { close(descriptor) } }
        guard state == .starting, descriptor >= 0, row == handed, listeners.indices.contains(row) else {
            return breakDown("the sandbox's listeners came out of order")
        }
        handed += 1
        do {
            if row == 0, let makerPath { try startMaker(makerPath, beside: descriptor) }
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
                    flush(at: now)
                    return hasBegun
                case .end: breakDown(broker.ending())
                case .packet(let packet):
                    // It has nothing to hand over.
                    if packet.descriptor >= 0 { close(packet.descriptor) }
                    guard let report = BrokerReport(packet.bytes), packet.descriptor < 0 else {
                        throw LinkError("the broker said something that is not understood")
                    }
                    hasBegun = take(report) || hasBegun
                }
            } catch {
                breakDown("\(error)")
            }
        }
        flush(at: now)
        return hasBegun
    }

    /// What time alone brings: a broker that does not begin, and records that have waited long enough.
    func tick(at now: UInt64, since start: UInt64) {
        if state == .starting, now > start + Self.startNanoseconds { breakDown("it did not begin in time") }
        flush(at: now)
    }

    /// When to look again; nil where nothing waits.
    func nextTick(since start: UInt64) -> UInt64? {
        if state == .starting { return start + Self.startNanoseconds }
        return pending.isEmpty ? nil : flushedNanoseconds + Self.batchNanoseconds
    }

    /// The sandbox is dead: the broker tells its last and goes.
    func finish(_ time: any TimeSource) {
        let end = time.monotonicNanoseconds() + Self.lastWordsNanoseconds
        if state == .serving, (try? order(.end)) != nil {
            var wait = pollfd(fd: broker.link.descriptor, events: Int16(POLLIN), revents: 0)
            while state == .serving {
                let now = time.monotonicNanoseconds()
                guard now < end, poll(&wait, 1, Int32((end - now) / 1_000_000)) == 1 else { break }
                let arrival = try? broker.link.receive(bytesMax: BrokerReport.bytesMax, waits: false)
                guard case .packet(let packet) = arrival else { break }
                if packet.descriptor >= 0 { close(packet.descriptor) }
                if let report = BrokerReport(packet.bytes) { _ = take(report) }
            }
        }
        state = .over
        broker.leave()
        maker = nil
        flush(at: .max)
    }

    private func take(_ report: BrokerReport) -> Bool {
        switch report {
        case .settled(let authority): self.authority = self.authority ?? authority
        case .ready:
            guard state == .starting, handed == listeners.count else { break }
            state = .serving
            return true
        case .record(let record): add(record)
        case .leftOut(let count): use.refusalsLeftOut += count
        case .failed(let reason): breakDown(Printable.text(reason))
        }
        return false
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
            guard use.connections <= Self.connectionsMax else {
                return breakDown("a run has at most \(Self.connectionsMax) connections")
            }
        }
        pending.append(record)
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
        state = .over
        broker.end()
        maker = nil
    }

    /// It finds the sandbox's network by a socket from there, and hears the broker alone.
    private func startMaker(_ path: String, beside socket: Int32) throws {
        let maker = try MakerProcess(path: path, socket: socket)
        let link = try maker.takeLink()
        // It closes with the object, and must not before it was sent.
        try withExtendedLifetime(link) { try order(.maker, link.descriptor) }
        self.maker = maker
    }

    private func order(_ order: BrokerOrder, _ descriptor: Int32 = -1) throws {
        guard case .sent = try broker.link.send(order.bytes, descriptor: descriptor) else {
            throw LinkError("tell the broker: it is gone")
        }
    }
}
