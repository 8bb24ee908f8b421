import BrokerLink
import Egress
package import NIOCore
import NIOSSL
import NIOTLS
import Synchronization

/// Takes over connections whose requests must be seen.
package final class RequestForwarder: RequestForwarding {
    let settings: SettingsStore
    let dialing: any Dialing
    let ledger: any ConnectionLedger
    let tally: RequestTally
    let credentials: Credentials
    package let backlog = HTTP2Backlog()
    private let authority: RunAuthority
    private let began: NIODeadline
    private let connections = Mutex<[ObjectIdentifier: NIOLoopBound<ClientConnection>]>([:])
    /// Requests that are not answered yet, of all connections.
    private let requests = Mutex(0)
    private let trusts = Mutex<[ObjectIdentifier: NIOLoopBound<OutsideTrust>]>([:])

    /// - Parameter began: when the broker did; records count from there.
    package init(
        settings: SettingsStore,
        authority: RunAuthority,
        dialing: any Dialing,
        ledger: any ConnectionLedger,
        values: any CredentialValues = SecretStore(),
        models: ModelDesk? = nil,
        began: NIODeadline = .now()
    ) {
        self.settings = settings
        self.authority = authority
        self.dialing = dialing
        self.ledger = ledger
        tally = RequestTally(ledger)
        credentials = Credentials(values: values, meters: models)
        self.began = began
        settings.onReplace { [weak self] _ in self?.revise() }
    }

    package func forward(_ approach: Approach, client: any Channel, head: ByteBuffer, isTLS: Bool) {
        let loop = client.eventLoop
        guard loop.inEventLoop else {
            return loop.execute { self.forward(approach, client: client, head: head, isTLS: isTLS) }
        }
        let connection = ClientConnection(approach, isTLS: isTLS, channel: client, forwarder: self)
        connections.withLock { $0[ObjectIdentifier(connection)] = NIOLoopBound(connection, eventLoop: loop) }
        do {
            let pipeline = client.pipeline.syncOperations
            if isTLS {
                guard case .name(let name) = approach.target.host else {
                    throw RunAuthority.Refusal(
                        reason: "\(approach.target) is no name, and nothing vouches for an address"
                    )
                }
                try pipeline.addHandler(NIOSSLServerHandler(context: authority.leaf(for: name).context))
                try pipeline.addHandler(InsideHandshake(connection))
            } else {
                try pipeline.addHandler(HTTP1Client(connection))
            }
            if head.readableBytes > 0 { pipeline.fireChannelRead(NIOAny(head)) }
            pipeline.fireChannelReadComplete()
        } catch {
            connection.recordUnvouched((error as? RunAuthority.Refusal)?.reason ?? "\(error)")
            connection.close()
        }
    }

    /// Breaks every connection off, and returns when each has told of its requests. Not for an event loop to call.
    package func end() {
        for connection in connections.withLock({ Array($0.values) }) {
            try? connection.eventLoop.submit { connection.value.close() }.wait()
        }
        tally.flush()
    }

    /// A place for a request; nil where there are too many already.
    func placeForRequest() -> RequestPlace? {
        let most = settings.current.limits.requests
        let isWithin = requests.withLock { count in
            guard count < most else { return false }
            count += 1
            return true
        }
        return isWithin ? RequestPlace(self) : nil
    }

    fileprivate func leaveRequest() { requests.withLock { $0 -= 1 } }

    func secondsSinceStart(_ moment: NIODeadline) -> Double { Double((moment - began).nanoseconds) / 1e9 }

    func forget(_ connection: ClientConnection) {
        _ = connections.withLock { $0.removeValue(forKey: ObjectIdentifier(connection)) }
    }

    /// What verifies services, one for each event loop.
    func trust(on loop: any EventLoop) -> OutsideTrust {
        trusts.withLock { trusts in
            if let trust = trusts[ObjectIdentifier(loop)] { return trust.value }
            let trust = OutsideTrust(settings)
            trusts[ObjectIdentifier(loop)] = NIOLoopBound(trust, eventLoop: loop)
            return trust
        }
    }

    private func revise() {
        for connection in connections.withLock({ Array($0.values) }) {
            connection.eventLoop.execute { connection.value.revise() }
        }
    }
}

/// One place among the requests that may wait for their answers; it is given back with the object.
final class RequestPlace {
    private let forwarder: RequestForwarder

    fileprivate init(_ forwarder: RequestForwarder) { self.forwarder = forwarder }

    deinit { forwarder.leaveRequest() }
}

/// Waits for the end of a handshake with a client of the sandbox, and installs what both sides agreed to speak.
final class InsideHandshake: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let connection: ClientConnection
    private var timer: Scheduled<Void>?
    private var isOver = false

    init(_ connection: ClientConnection) { self.connection = connection }

    func handlerAdded(context: ChannelHandlerContext) {
        let delay = TimeAmount.nanoseconds(Int64(connection.limits.greetingSeconds * 1e9))
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: delay) { [weak self] in
            self?.fail(HTTPRefusal(408, "limit-greeting", "the handshake was not over in time"))
        }
    }

    func channelActive(context: ChannelHandlerContext) {
        context.read()
        context.fireChannelActive()
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        guard case .some(.handshakeCompleted(let negotiated)) = event as? TLSUserEvent else {
            return context.fireUserInboundEventTriggered(event)
        }
        isOver = true
        timer?.cancel()
        do {
            let pipeline = context.pipeline.syncOperations
            if negotiated == ApplicationProtocol.http2.rawValue {
                try HTTP2Inside.install(connection, on: context.channel)
            } else {
                try pipeline.addHandler(HTTP1Client(connection))
            }
            pipeline.removeHandler(self, promise: nil)
        } catch {
            fail(error)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { fail(error) }

    func channelInactive(context: ChannelHandlerContext) {
        fail(DialFailure("the client left in the handshake"))
        context.fireChannelInactive()
    }

    private func fail(_ error: any Error) {
        timer?.cancel()
        guard !isOver else { return }
        isOver = true
        connection.recordHandshake(error)
        connection.close()
    }
}
