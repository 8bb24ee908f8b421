import BrokerLink
import Domain
import Egress
import Glibc
import NIOCore

/// One connection of the sandbox, from its first byte until it is refused, handed on or made one with a connection
/// outside. It lives on its channel's event loop.
final class Visitor: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private enum Phase {
        /// The greeting is not over.
        case greeting
        /// A connection outside is being made.
        case dialling
        /// What the client says first decides who reads its requests.
        case sniffing(Approach, mayBePlain: Bool)
        /// It is denied, in words that its first byte asks for.
        case denying(EgressRefusal)
        /// The answer is out; whatever comes is thrown away.
        case leaving
        case gone
    }

    private let keeper: Doorkeeper
    private var greeting: any Greeting
    private var phase = Phase.greeting
    private var context: ChannelHandlerContext?
    private var pass: Crossings.Pass?
    /// What the client said and nobody took yet.
    private var said: [UInt8] = []
    private var hasEnded = false
    /// True once the client was told that its connection stands: what it reads now is its server's.
    private var isReady = false
    /// True while it counts among those that are decided or dialled.
    private var isPending = false
    private var timer: Scheduled<Void>?
    private let since: Double

    /// Seconds in which a client takes an answer and hangs up.
    private static let farewellSeconds: Int64 = 2

    init(_ keeper: Doorkeeper, _ greeting: any Greeting) {
        self.keeper = keeper
        self.greeting = greeting
        since = keeper.now
    }

    // MARK: What SwiftNIO says

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        if context.channel.isActive { begin() }
    }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelActive(context: ChannelHandlerContext) { begin() }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let buffer = Self.unwrapInboundIn(data)
        switch phase {
        case .leaving, .gone: return
        default: said.append(contentsOf: buffer.readableBytesView)
        }
        // From its first byte on it takes memory.
        guard beginPending(nil) else { return }
        // At the end of a connection SwiftNIO reads on unasked.
        if said.count > keeper.settings.current.limits.headBytes + Self.unaskedBytesMax { vanish() }
    }

    /// What a socket's receive buffer holds before anybody read from it, at its ordinary size.
    private static let unaskedBytesMax = 256 << 10

    func channelReadComplete(context: ChannelHandlerContext) { advance() }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        if event as? ChannelEvent == .inputClosed {
            hasEnded = true
            if case .leaving = phase { return vanish() }
            advance()
        }
        context.fireUserInboundEventTriggered(event)
    }

    func channelInactive(context: ChannelHandlerContext) {
        timer?.cancel()
        phase = .gone
        endPending()
        if let pass { keeper.crossings.leave(pass) }
        pass = nil
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) { vanish() }

    // MARK: Its way

    private func begin() {
        guard pass == nil, let context else { return }
        do throws(EgressRefusal) {
            pass = try keeper.crossings.enter(now: since)
        } catch {
            // It said nothing yet, and all are meant.
            if keeper.crossings.mayReportLimit(now: since) {
                keeper.refused(greeting.door, host: "(all connections)", port: 0, EgressDecision(error), since: since)
            }
            return vanish()
        }
        let seconds = keeper.settings.current.limits.greetingSeconds
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: .milliseconds(Int64(seconds * 1000))) {
            self.late(seconds)
        }
        advance()
    }

    private func late(_ seconds: Double) {
        let refusal = EgressRefusal(
            RuleID("limit-greeting"),
            "the client did not say where it wants to go within \(Int(seconds)) s (greetingSeconds)"
        )
        switch phase {
        case .greeting: refuse(refusal, nil, isMalformed: true)
        case .sniffing(let approach, _): refuse(refusal, approach.target, isMalformed: true)
        case .denying, .leaving: vanish()
        case .dialling, .gone: break
        }
    }

    /// Goes as far as what the client said allows.
    private func advance() {
        while true {
            switch phase {
            case .greeting:
                if greet() { continue }
                return
            case .sniffing(let approach, let mayBePlain): return sniff(approach, mayBePlain: mayBePlain)
            case .denying(let refusal):
                if said.isEmpty && !hasEnded { context?.read() } else { answer(refusal, isMalformed: false) }
                return
            case .leaving: context?.read()
            case .dialling, .gone: break
            }
            return
        }
    }

    /// True if there is more to do at once.
    private func greet() -> Bool {
        var rest = said[...]
        do throws(EgressRefusal) {
            let heard = try greeting.read(&rest, keeper.settings.current.limits)
            said = Array(rest)
            switch heard {
            case .more:
                if hasEnded { vanish() } else { context?.read() }
                return false
            case .reply(let bytes):
                write(bytes)
                return true
            case .tunnel(let target): decide(target, isRequest: false)
            case .request(let target): decide(target, isRequest: true)
            }
        } catch {
            refuse(error, nil, isMalformed: true)
        }
        return false
    }

    private func decide(_ target: ConnectTarget, isRequest: Bool) {
        // The version first: what replaces the settings in between is noticed later.
        let version = keeper.settings.version
        let settings = keeper.settings.current
        let (decision, treatment) = keeper.judge.judge(target, settings)
        let approach = Approach(door: greeting.door, target: target)
        guard decision.verdict == .allow, treatment != .refuse else {
            let refusal = EgressRefusal(decision.rule, decision.reason, remedy: decision.remedy)
            return refuse(refusal, target, isMalformed: false)
        }
        if isRequest {
            switch treatment {
            case .plainRequests, .eitherRequests, .splice(requiresTLS: false): return forward(approach, isTLS: false)
            default: return refuse(Self.plainOnTLS(target), target, isMalformed: false)
            }
        }
        switch treatment {
        case .refuse: break
        case .plainRequests:
            sayReady()
            forward(approach, isTLS: false)
        case .secureRequests, .eitherRequests:
            sayReady()
            phase = .sniffing(approach, mayBePlain: treatment == .eitherRequests)
            sniff(approach, mayBePlain: treatment == .eitherRequests)
        case .splice(let requiresTLS):
            dial(approach, decision, requiresTLS: requiresTLS, version: version, settings.limits)
        }
    }

    private func sniff(_ approach: Approach, mayBePlain: Bool) {
        do throws(EgressRefusal) {
            switch try ClientHello.read(said[...]) {
            case .incomplete:
                if hasEnded { vanish() } else { context?.read() }
            case .notTLS:
                guard mayBePlain else { throw Self.plainOnTLS(approach.target) }
                forward(approach, isTLS: false)
            case .hello(let hello):
                if let said = hello.serverName, case .name(let name) = approach.target.host {
                    try ServerNameGate.checkName(said, against: name)
                }
                forward(approach, isTLS: true)
            }
        } catch {
            refuse(error, approach.target, isMalformed: false)
        }
    }

    /// False if there are too many; then it is refused already.
    private func beginPending(_ target: ConnectTarget?) -> Bool {
        if isPending { return true }
        do throws(EgressRefusal) { try keeper.crossings.beginPending() } catch {
            refuse(error, target, isMalformed: true)
            return false
        }
        isPending = true
        return true
    }

    private func endPending() {
        if isPending { keeper.crossings.endPending() }
        isPending = false
    }

    // MARK: To the outside

    private func forward(_ approach: Approach, isTLS: Bool) {
        guard let context, let pass else { return }
        timer?.cancel()
        phase = .gone
        endPending()
        self.pass = nil
        let channel = context.channel
        let (keeper, hasEnded, head) = (keeper, hasEnded, ByteBuffer(bytes: said))
        said = []
        channel.closeFuture.whenComplete { _ in keeper.crossings.leave(pass) }
        channel.pipeline.syncOperations.removeHandler(self).whenComplete { _ in
            keeper.forwarding.forward(approach, client: channel, head: head, isTLS: isTLS)
            if hasEnded { channel.pipeline.fireUserInboundEventTriggered(ChannelEvent.inputClosed) }
        }
    }

    private func dial(
        _ approach: Approach,
        _ decision: EgressDecision,
        requiresTLS: Bool,
        version: Int,
        _ limits: BrokerLimits
    ) {
        guard let context else { return }
        guard beginPending(approach.target) else { return }
        phase = .dialling
        timer?.cancel()
        let loop = context.eventLoop
        keeper.dialing.dial(approach.target, on: loop).hop(to: loop).assumeIsolated().whenComplete { result in
            self.endPending()
            switch result {
            case .failure(let error): self.failed(error, approach, decision)
            case .success(let dialled):
                self.connected(dialled, approach, decision, requiresTLS: requiresTLS, version: version, limits)
            }
        }
    }

    private func failed(_ error: any Error, _ approach: Approach, _ decision: EgressDecision) {
        guard case .dialling = phase else { return }
        if let refusal = error as? EgressRefusal { return refuse(refusal, approach.target, isMalformed: false) }
        let reason = (error as? DialFailure)?.reason ?? "\(approach.target) did not answer"
        let target = approach.target
        keeper.refused(
            approach.door,
            host: target.host.description,
            port: target.port,
            decision,
            since: since,
            ending: reason
        )
        leave(greeting.unreachable(reason, first: said.first))
    }

    private func connected(
        _ dialled: Dialled,
        _ approach: Approach,
        _ decision: EgressDecision,
        requiresTLS: Bool,
        version: Int,
        _ limits: BrokerLimits
    ) {
        guard case .dialling = phase, let context, let pass,
            let server = Self.duplicate(dialled.channel), let client = Self.duplicate(context.channel)
        else {
            dialled.channel.close(promise: nil)
            return vanish()
        }
        dialled.channel.close(promise: nil)
        if let refusal = forbidden(approach.target, since: version) {
            for descriptor in [server, client] { _ = Glibc.close(descriptor) }
            return refuse(refusal, approach.target, isMalformed: false)
        }
        let name: HostName? = if case .name(let name) = approach.target.host { name } else { nil }
        let pair = SplicePair(
            client: client,
            head: said,
            server: server,
            gate: ServerNameGate(name: name, requiresTLS: requiresTLS),
            idleSeconds: limits.idleSeconds,
            greetingSeconds: limits.greetingSeconds
        )
        self.pass = nil
        said = []
        sayReady()
        phase = .gone
        context.close(promise: nil)
        keeper.splice(pair, approach, decision, to: dialled.address, pass: pass, version: version, since: since)
    }

    /// Why a connection may not be copied any more that settings of an older version let through.
    private func forbidden(_ target: ConnectTarget, since version: Int) -> EgressRefusal? {
        guard keeper.settings.version != version else { return nil }
        let (decision, treatment) = keeper.judge.judge(target, keeper.settings.current)
        if case .splice = treatment { return nil }
        let isSeen = decision.verdict == .allow
        return EgressRefusal(
            decision.rule,
            isSeen ? "the policy changed while \(target) was dialled: its requests must be seen" : decision.reason,
            remedy: isSeen ? "Connect again." : decision.remedy
        )
    }

    /// A channel's socket once more, so that it outlives the channel.
    private static func duplicate(_ channel: any Channel) -> Int32? {
        let made = try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) {
            fcntl($0, F_DUPFD_CLOEXEC, 0)
        }
        guard let made, made >= 0 else { return nil }
        var one: Int32 = 1
        _ = setsockopt(made, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout.size(ofValue: one)))
        return made
    }

    // MARK: Answers

    private func sayReady() {
        isReady = true
        if let bytes = greeting.ready() { write(bytes) }
    }

    private func refuse(_ refusal: EgressRefusal, _ target: ConnectTarget?, isMalformed: Bool) {
        record(refusal, target)
        if greeting.answersInKind, said.isEmpty, !hasEnded {
            phase = .denying(refusal)
            context?.read()
        } else {
            answer(refusal, isMalformed: isMalformed)
        }
    }

    private func answer(_ refusal: EgressRefusal, isMalformed: Bool) {
        if isReady {
            leave(PlainAnswer.bytes(refusal, first: said.first))
        } else {
            leave(greeting.denied(refusal, isMalformed: isMalformed, first: said.first))
        }
    }

    private func record(_ refusal: EgressRefusal, _ target: ConnectTarget?) {
        let (host, port) = target.map { ($0.host.description, $0.port) } ?? asked
        keeper.refused(greeting.door, host: host, port: port, EgressDecision(refusal), since: since)
    }

    /// What was asked for where it is no destination: the first line, or the address.
    private var asked: (String, UInt16) {
        if greeting.door == .transparent {
            let (address, port) = Doors.place(context?.channel.localAddress)
            return (address?.description ?? "", port)
        }
        guard greeting.door == .proxy else { return ("", 0) }
        let line = said.prefix(80).prefix { $0 != 0x0D && $0 != 0x0A }
        // What stands before an @ may be a password.
        let plain = line.lastIndex(of: UInt8(ascii: "@")).map { line[($0 + 1)...] } ?? line
        return (Printable.text(plain), 0)
    }

    /// Says a last word, if there is one, and goes when the client went.
    private func leave(_ bytes: [UInt8]?) {
        guard let bytes, let context else { return vanish() }
        timer?.cancel()
        phase = .leaving
        endPending()
        said = []
        write(bytes)
        context.close(mode: .output, promise: nil)
        guard !hasEnded, context.channel.isActive else { return vanish(resets: false) }
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(Self.farewellSeconds)) {
            self.vanish(resets: false)
        }
        context.read()
    }

    /// Goes without a word.
    private func vanish(resets: Bool = true) {
        guard let context else { return }
        if case .leaving = phase {
        } else if resets, context.channel.isActive {
            Self.makeAbrupt(context.channel)
        }
        phase = .gone
        context.close(promise: nil)
    }

    /// Makes closing a socket break its connection off.
    private static func makeAbrupt(_ channel: any Channel) {
        try? channel.pipeline.syncOperations.withUnsafeTransportIfAvailable(of: NIOBSDSocket.Handle.self) { socket in
            var linger = linger(l_onoff: 1, l_linger: 0)
            _ = setsockopt(socket, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout.size(ofValue: linger)))
        }
    }

    private func write(_ bytes: [UInt8]) {
        context?.writeAndFlush(NIOAny(ByteBuffer(bytes: bytes)), promise: nil)
    }

    private static func plainOnTLS(_ target: ConnectTarget) -> EgressRefusal {
        EgressRefusal(
            RuleID("tls-not"),
            "what the client says to \(target) is no TLS, and only TLS may pass there",
            remedy: "Speak TLS to this port."
        )
    }
}
