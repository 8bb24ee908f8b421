import BrokerLink
import Domain
import Egress
import Glibc
import NIOPosix
import Synchronization

/// The way in: whoever connects to a published port of the host's loopback is led to whoever listens on that port
/// inside.
///
/// It goes one way. The listener lies outside, where nothing inside can reach it, and the socket inside is connected
/// before it is used; what is said in it goes to the program outside that asked.
final class PublishedDoor: Sendable {
    private struct State {
        var later: LaterListeners?
        var open = 0
        var reportedSeconds = -PublishedDoor.reportSeconds
    }

    /// What became of an attempt to reach the server inside.
    private enum Inside {
        case connected(Int32, IPAddress)
        case failed(String)
    }

    /// Connections that are open at once: everybody on this machine can make them, so they have room of their own.
    static let connectionsMax = 1024
    /// A server that lets a connection wait longer gets it all the same; others come first then.
    private static let waitMilliseconds: Int32 = 200
    /// What could not be led anywhere is recorded this seldom: a program that tries for ever shall not fill the record.
    private static let reportSeconds = 1.0
    /// After an accept that failed, when the descriptors are used up.
    private static let pauseMicroseconds: UInt32 = 10_000
    private static let loopbacks: [IPAddress] = [
        .v4(IPv4Address(value: 0x7F00_0001)), .v6(IPv6Address(high: 0, low: 1)),
    ]

    private let keeper: Doorkeeper
    private let state = Mutex(State())
    /// Asking for a socket inside waits for another process, which no event loop may.
    private let pool = NIOThreadPool(numberOfThreads: 1)

    init(_ keeper: Doorkeeper) { self.keeper = keeper }

    func take(_ later: LaterListeners) { state.withLock { $0.later = later } }

    /// Serves listening sockets of the host until the process ends.
    func serve(_ listeners: [HandedListener]) {
        guard !listeners.isEmpty else { return }
        pool.start()
        pool.submit { _ in self.run(listeners) }
    }

    private func run(_ listeners: [HandedListener]) {
        var waits = listeners.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        while true {
            guard poll(&waits, nfds_t(waits.count), -1) > 0 else { continue }
            for (listener, wait) in zip(listeners, waits) where wait.revents != 0 {
                let client = accept(listener.descriptor, nil, nil)
                if client >= 0 {
                    lead(client, to: listener.request.port)
                } else if errno != EAGAIN, errno != EINTR, errno != ECONNABORTED {
                    usleep(Self.pauseMicroseconds)
                }
            }
        }
    }

    private func lead(_ client: Int32, to port: UInt16) {
        let since = keeper.now
        guard Self.prepare(client), enter() else {
            let reason = "\(Self.connectionsMax) connections to published ports are open, and no more may be"
            return refuse(client, port, since, reason)
        }
        switch inside(port) {
        case .failed(let reason):
            leave()
            refuse(client, port, since, reason)
        case .connected(let server, let address): join(client, server, port, address, since)
        }
    }

    /// Asks for a socket inside, on 127.0.0.1 or else on ::1.
    private func inside(_ port: UInt16) -> Inside {
        guard let later = state.withLock({ $0.later }) else { return .failed("nobody makes sockets inside") }
        for address in Self.loopbacks {
            let made: Int32
            do throws(LinkError) { made = try later.connect(address, port: port) } catch { continue }
            var wait = pollfd(fd: made, events: Int16(POLLOUT), revents: 0)
            _ = poll(&wait, 1, Self.waitMilliseconds)
            if OutsideSocket.failure(of: made) == nil, Self.prepare(made) { return .connected(made, address) }
            _ = close(made)
        }
        return .failed("nothing listens on port \(port) inside")
    }

    private func join(_ client: Int32, _ server: Int32, _ port: UInt16, _ address: IPAddress, _ since: Double) {
        let limits = keeper.settings.current.limits
        let pair = SplicePair(
            client: SpliceSocket(descriptor: client),
            head: [],
            server: SpliceSocket(descriptor: server),
            gate: .open,
            idleSeconds: limits.idleSeconds,
            greetingSeconds: limits.greetingSeconds
        )
        keeper.relay.splice(pair) { report in
            self.leave()
            var record = Self.record(port, .spliced, since: since)
            switch report.ending {
            case .finished: break
            case .broken(let reason), .late(let reason), .closed(let reason): record.ending = reason
            case .refused(let refusal): record.ending = refusal.reason
            }
            record.address = address
            // Out of the sandbox goes what its server says.
            (record.bytesOut, record.bytesIn) = (report.bytesIn, report.bytesOut)
            record.seconds = self.keeper.now - since
            self.keeper.ledger.record(record)
        }
    }

    /// Breaks a connection off that cannot be led anywhere.
    private func refuse(_ client: Int32, _ port: UInt16, _ since: Double, _ reason: String) {
        SpliceSocket(descriptor: client).close(reset: true)
        let now = keeper.now
        let isReported = state.withLock { state in
            guard now - state.reportedSeconds >= Self.reportSeconds else { return false }
            state.reportedSeconds = now
            return true
        }
        guard isReported else { return }
        var record = Self.record(port, .refused, since: since)
        record.seconds = now - since
        record.ending = reason
        keeper.ledger.record(record)
    }

    private func enter() -> Bool {
        state.withLock { state in
            guard state.open < Self.connectionsMax else { return false }
            state.open += 1
            return true
        }
    }

    private func leave() { state.withLock { $0.open -= 1 } }

    /// What the person asked for by `--publish`: no policy decides it anew.
    private static func record(
        _ port: UInt16,
        _ treatment: ConnectionRecord.Treatment,
        since: Double
    ) -> ConnectionRecord {
        let reason = EgressRefusal(RuleID("published"), "port \(port) of this machine's loopback is published")
        var record = ConnectionRecord(
            door: .published,
            host: "localhost",
            port: port,
            treatment: treatment,
            decision: EgressDecision(reason),
            beganSeconds: since
        )
        record.verdict = .allow
        return record
    }

    /// As the relay wants its sockets.
    private static func prepare(_ socket: Int32) -> Bool {
        OutsideSocket.sendAtOnce(socket)
        return fcntl(socket, F_SETFD, FD_CLOEXEC) == 0 && fcntl(socket, F_SETFL, O_NONBLOCK) == 0
    }
}
