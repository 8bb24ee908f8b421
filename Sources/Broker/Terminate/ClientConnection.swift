import BrokerLink
import Domain
import Egress
import NIOCore
import NIOSSL

/// One connection of the sandbox whose requests are seen: what its exchanges share.
///
/// Everything happens on the event loop of its channel.
final class ClientConnection {
    let approach: Approach
    let isTLS: Bool
    let channel: any Channel
    let outside: OutsidePool
    let reading: RequestReading
    let limits: BrokerLimits
    private let forwarder: RequestForwarder
    private var exchanges: [ObjectIdentifier: Exchange] = [:]
    private var touchedAt = NIODeadline.now()
    private var idleTimer: Scheduled<Void>?
    private(set) var isClosed = false

    init(_ approach: Approach, isTLS: Bool, channel: any Channel, forwarder: RequestForwarder) {
        self.approach = approach
        self.isTLS = isTLS
        self.channel = channel
        self.forwarder = forwarder
        limits = forwarder.settings.current.limits
        reading = RequestReading(
            target: approach.target,
            isTLS: isTLS,
            isProxy: approach.door == .proxy,
            gateway: approach.door == .gateway ? forwarder.settings.current.gateway(to: approach.target) : nil
        )
        outside = OutsidePool(loop: channel.eventLoop, forwarder: forwarder)
        armIdleTimer(after: .nanoseconds(Int64(limits.idleSeconds * 1e9)))
    }

    /// Takes down what became of a request.
    func record(_ request: ConnectionRecord) { forwarder.tally.record(request, on: channel.eventLoop) }

    func judge(_ request: RequestHead) -> RequestJudgement {
        RequestJudgement(request, forwarder.settings.current, forwarder.credentials)
    }

    func passage(_ request: RequestHead, _ judgement: RequestJudgement) -> Passage {
        forwarder.credentials.passage(request, judgement, self)
    }

    var values: any CredentialValues { forwarder.credentials.values }

    var backlog: HTTP2Backlog { forwarder.backlog }

    var settings: BrokerSettings { forwarder.settings.current }

    func secondsSinceStart(_ moment: NIODeadline) -> Double { forwarder.secondsSinceStart(moment) }

    func add(_ exchange: Exchange) {
        exchanges[ObjectIdentifier(exchange)] = exchange
        touch()
    }

    func remove(_ exchange: Exchange) { exchanges[ObjectIdentifier(exchange)] = nil }

    /// Nil where too many requests of the sandbox wait for their answers.
    func placeForRequest() -> RequestPlace? { forwarder.placeForRequest() }

    /// Something moved.
    func touch() { touchedAt = .now() }

    /// The policy was replaced.
    func revise() {
        for exchange in Array(exchanges.values) { exchange.revise() }
        outside.revise()
        guard exchanges.isEmpty, !isClosed else { return }
        let target = Array(approach.target.description.utf8)
        if forwarder.settings.current.policy.decide(connect: target).verdict == .deny { close() }
    }

    /// Whatever could not become a request.
    func recordRefusal(_ refusal: HTTPRefusal) {
        let decision = EgressDecision(EgressRefusal(RuleID(refusal.rule), refusal.reason))
        record(decision, treatment: .refused, ending: nil)
    }

    /// What a client says in HTTP/2 broke its rules, or a limit. One that hangs up in the middle broke none.
    func recordBroken(_ error: any Error) {
        if error is IOError { return }
        if case .some(.uncleanShutdown) = error as? NIOSSLError { return }
        let reason = "the connection broke a rule of HTTP/2"
        let refusal = EgressRefusal(RuleID("http2"), reason)
        record(EgressDecision(refusal), treatment: .refused, ending: Printable.text(Array("\(error)".utf8.prefix(512))))
    }

    /// A handshake inside did not come to its end.
    func recordHandshake(_ error: any Error) {
        let failure = HandshakeFailure(error)
        let refusal = EgressRefusal(failure.rule, failure.reason(approach.target), remedy: failure.remedy)
        record(EgressDecision(refusal), treatment: .refused, ending: failure.detail)
    }

    /// Something beside the request itself that a person must get to know.
    func recordAlarm(_ refusal: EgressRefusal) {
        record(EgressDecision(refusal), treatment: .refused, ending: nil)
    }

    /// Nothing vouches for the host inside, so that its requests cannot be seen.
    func recordUnvouched(_ reason: String) {
        let refusal = EgressRefusal(
            RuleID("not-vouched"),
            reason,
            remedy: "Start another run: its authority covers the names that are listed then."
        )
        record(EgressDecision(refusal), treatment: .refused, ending: nil)
    }

    private func record(_ decision: EgressDecision, treatment: ConnectionRecord.Treatment, ending: String?) {
        var record = ConnectionRecord(
            door: approach.door,
            host: approach.target.host.description,
            port: approach.target.port,
            treatment: treatment,
            decision: decision,
            beganSeconds: secondsSinceStart(.now())
        )
        record.ending = ending
        forwarder.ledger.record(record)
    }

    func close() {
        guard !isClosed else { return }
        closed("the connection was closed")
        channel.close(promise: nil)
    }

    /// The client is gone, or nothing more is wanted of it.
    func closed(_ reason: String?) {
        guard !isClosed else { return }
        isClosed = true
        idleTimer?.cancel()
        for exchange in Array(exchanges.values) { exchange.clientGone(reason) }
        outside.close()
        forwarder.forget(self)
    }

    /// One timer for all: it looks at what moved last, and sleeps on.
    private func armIdleTimer(after delay: TimeAmount) {
        idleTimer = channel.eventLoop.assumeIsolated().scheduleTask(in: delay) { [weak self] in self?.checkIdle() }
    }

    private func checkIdle() {
        guard !isClosed else { return }
        let limit = TimeAmount.nanoseconds(Int64(limits.idleSeconds * 1e9))
        let left = touchedAt + limit - .now()
        guard left <= .nanoseconds(0) else { return armIdleTimer(after: left) }
        for exchange in Array(exchanges.values) {
            exchange.end("nothing moved for \(Int(limits.idleSeconds)) seconds")
        }
        close()
    }
}
