package import BrokerLink
import CLinux
import Domain
import Glibc
package import NIOCore
import Synchronization

/// Records on their way to the supervisor. Whoever records never waits; the main thread sends.
///
/// A supervisor that does not keep up must not cost memory without end, and must not make traffic unseen either. So of
/// refusals only so many wait, and the others are counted; and a broker that cannot tell of what it let through ends.
package final class LinkLedger: ConnectionLedger, ModelLedger {
    /// Refusals that wait.
    static let refusalsMax = 4096
    /// Records of what was let through that wait: more than can be open at once.
    static let recordsMax = 65_536
    /// How long a request waits for a supervisor that does not keep up before it is refused.
    private static let announceTime = TimeAmount.seconds(1)

    /// A request that waits for its announcement to be sent.
    private struct Waiting {
        let number: UInt64
        let bytes: [UInt8]
        let isTold: EventLoopPromise<Bool>
    }

    private struct State {
        /// In the order in which they came; there are no more than requests at once.
        var waiting: CircularBuffer<Waiting> = []
        var lastNumber: UInt64 = 0
        var reports: [BrokerReport] = []
        /// The first that was not sent.
        var next = 0
        var leftOut: UInt64 = 0
        var isFull = false
    }

    private let state = Mutex(State())
    private let link: PacketLink
    /// Readable when something was recorded.
    let wake: Int32

    package init(_ link: PacketLink) throws(LinkError) {
        self.link = link
        wake = bailey_bell_make()
        guard wake >= 0 else { throw LinkError("make an event") }
    }

    deinit { close(wake) }

    package func record(_ record: ConnectionRecord) {
        state.withLock { state in
            let waiting = state.reports.count - state.next
            if record.treatment == .refused, waiting >= Self.most(record.rule) {
                state.leftOut += 1
            } else if waiting >= Self.recordsMax {
                state.isFull = true
            } else {
                state.reports.append(.record(record))
            }
        }
        ring()
    }

    /// What was refused before must not hide an alarm, nor an alarm that a program raises one that a service raises.
    private static func most(_ rule: RuleID) -> Int {
        if rule == .credentialReflected { return 3 * refusalsMax }
        return rule.isAlarm ? 2 * refusalsMax : refusalsMax
    }

    /// What the kernel has taken is read by the supervisor, whatever becomes of this process. Where it is behind, the
    /// request waits, so that many at once are slowed and not refused.
    package func announce(_ report: ModelReport, on loop: any EventLoop) -> Announcement {
        let bytes = BrokerReport.model(report).bytes
        let sending = state.withLock { state in
            // Who waits already goes first.
            state.waiting.isEmpty ? try? link.send(bytes, waits: false) : .full
        }
        switch sending {
        case .sent: return .told
        case .end, nil: return .untold
        case .full: return wait(bytes, on: loop)
        }
    }

    private func wait(_ bytes: [UInt8], on loop: any EventLoop) -> Announcement {
        let isTold = loop.makePromise(of: Bool.self)
        let number = state.withLock { state in
            state.lastNumber += 1
            state.waiting.append(Waiting(number: state.lastNumber, bytes: bytes, isTold: isTold))
            return state.lastNumber
        }
        ring()
        let timer = loop.scheduleTask(in: Self.announceTime) { self.withdraw(number) }
        isTold.futureResult.whenComplete { _ in timer.cancel() }
        return .waits(isTold.futureResult, withdraw: { self.withdraw(number) })
    }

    /// Takes back what was not sent; what was sent stays so.
    private func withdraw(_ number: UInt64) {
        let taken = state.withLock { state in
            state.waiting.firstIndex { $0.number == number }.map { state.waiting.remove(at: $0) }
        }
        taken?.isTold.succeed(false)
    }

    package func record(_ report: ModelReport) {
        if case .sent? = try? link.send(BrokerReport.model(report).bytes, waits: false) { return }
        state.withLock { state in
            let waiting = state.reports.count - state.next
            if case .refused = report, waiting >= Self.refusalsMax {
                state.leftOut += 1
            } else if waiting >= Self.recordsMax {
                state.isFull = true
            } else {
                state.reports.append(.model(report))
            }
        }
        ring()
    }

    func tell(_ report: BrokerReport) {
        state.withLock { $0.reports.append(report) }
        ring()
    }

    private func ring() { bailey_bell_ring(wake) }

    func clearWake() { bailey_bell_clear(wake) }

    /// Sends what waits, as far as there is room: requests that wait for it first.
    ///
    /// - Returns: true if something still waits.
    /// - Throws: if there is more than may wait, or the supervisor is gone.
    package func send() throws(LinkError) -> Bool {
        if try sendAnnouncements() { return true }
        while true {
            let (report, isFull) = state.withLock { ($0.reports.isEmpty ? nil : $0.reports[$0.next], $0.isFull) }
            if isFull { throw LinkError("tell the supervisor of connections: \(Self.recordsMax) wait already") }
            guard let report = report ?? takeLeftOut() else { return false }
            var bytes = report.bytes
            // Tokens may be among them.
            defer { bytes.withUnsafeMutableBytes { if let start = $0.baseAddress { explicit_bzero(start, $0.count) } } }
            switch try link.send(bytes, waits: false) {
            case .sent: state.withLock { Self.drop(&$0) }
            case .full: return true
            case .end: throw LinkError("tell the supervisor: it is gone")
            }
        }
    }

    /// Sending and forgetting are one step, so that each is told once or withdrawn.
    ///
    /// - Returns: true if one still waits.
    private func sendAnnouncements() throws(LinkError) -> Bool {
        while true {
            let (told, sending) = try state.withLock { state throws(LinkError) -> (Waiting?, PacketLink.Sending) in
                guard let first = state.waiting.first else { return (nil, .sent) }
                let sending = try link.send(first.bytes, waits: false)
                if case .sent = sending { state.waiting.removeFirst() }
                return (first, sending)
            }
            guard let told else { return false }
            switch sending {
            case .sent: told.isTold.succeed(true)
            case .full: return true
            case .end: throw LinkError("tell the supervisor: it is gone")
            }
        }
    }

    /// Sends all that waits, and waits for that itself. The supervisor sets the end of it.
    package func finish() throws(LinkError) {
        // No request leaves any more, and nobody would tell what became of it.
        let waiting = state.withLock { state in
            defer { state.waiting.removeAll() }
            return Array(state.waiting)
        }
        for request in waiting { request.isTold.succeed(false) }
        while try send() {
            var wait = pollfd(fd: link.descriptor, events: Int16(POLLOUT), revents: 0)
            _ = poll(&wait, 1, -1)
        }
    }

    /// How many were left out, once there is room to say so.
    private func takeLeftOut() -> BrokerReport? {
        state.withLock { state in
            guard state.leftOut > 0 else { return nil }
            state.reports.append(.leftOut(state.leftOut))
            state.leftOut = 0
            return state.reports[state.next]
        }
    }

    private static func drop(_ state: inout State) {
        state.next += 1
        guard state.next == state.reports.count || state.next >= recordsMax else { return }
        state.reports.removeFirst(state.next)
        state.next = 0
    }
}
