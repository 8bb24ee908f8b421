import BrokerLink
import Domain
import Egress
import Glibc

/// One connection of the sandbox, from its first byte until it is refused, handed on or made one with a connection
/// outside. It lives on the relay's thread.
final class Visitor {
    private let id: SpliceID
    private let door: Door
    private let keeper: Doorkeeper
    private var greeting: any Greeting
    private var phase = Phase.greeting
    private var step = Step.stays
    private var client: SpliceSocket
    /// What is being connected from here, and where to.
    private var server: (socket: SpliceSocket, address: CheckedAddress)?
    private var pass: Crossings.Pass?
    /// What the client said and nobody took yet.
    private var said: [UInt8] = []
    private var hasEnded = false
    /// True once the client was told that its connection stands: what it reads now is its server's.
    private var isReady = false
    /// True while it counts among those that are decided or dialled.
    private var isPending = false
    /// When it has taken too long, in the relay's time.
    private(set) var deadline = Double.infinity
    /// When its turn began, in the relay's time.
    private var now = 0.0
    private let since: Double

    /// Seconds in which a client takes an answer and hangs up.
    private static let farewellSeconds = 2.0
    /// Bytes that are read at once.
    private static let chunkBytes = 4096
    /// How often one that leaves is read from before others come.
    private static let farewellTurns = 16

    /// - Parameter descriptor: of the connection, which it takes over and which does not block.
    init(_ id: SpliceID, _ door: Door, _ greeting: any Greeting, _ descriptor: Int32) {
        self.id = id
        self.door = door
        keeper = door.keeper
        self.greeting = greeting
        client = SpliceSocket(descriptor: descriptor, isReadable: false)
        since = keeper.now
    }

    /// Its socket, until it is gone.
    var descriptor: Int32 { client.descriptor }

    // MARK: What the relay says

    func note(_ events: UInt32, of side: Splice.Side) {
        switch side {
        case .client: client.note(events)
        case .server: server?.socket.note(events)
        }
    }

    /// Its first turn.
    func begin(now: Double, _ buffer: UnsafeMutableRawBufferPointer) -> Step {
        self.now = now
        do throws(EgressRefusal) {
            pass = try keeper.crossings.enter(now: since)
        } catch {
            // It said nothing yet, and all are meant.
            if keeper.crossings.mayReportLimit(now: since) {
                keeper.refused(greeting.door, host: "(all connections)", port: 0, EgressDecision(error), since: since)
            }
            vanish()
            return step
        }
        deadline = now + keeper.settings.current.limits.greetingSeconds
        return turn(now: now, buffer)
    }

    /// Goes as far as it can, after sockets were noted or when it is late.
    ///
    /// - Parameter buffer: scratch memory.
    func turn(now: Double, _ buffer: UnsafeMutableRawBufferPointer) -> Step {
        self.now = now
        step = .stays
        if now >= deadline { late() } else { advance(buffer) }
        return step
    }

    /// A connection was made elsewhere, or could not be. Then it has a turn.
    func landed(_ result: Result<Landing, any Error>, now: Double, _ buffer: UnsafeMutableRawBufferPointer) -> Step {
        self.now = now
        step = .stays
        guard case .dialling(let journey) = phase else {
            if case .success(let landing) = result { _ = Glibc.close(landing.descriptor) }
            return step
        }
        switch result {
        case .failure(let error): failed(error, journey)
        case .success(let landing):
            connected(SpliceSocket(descriptor: landing.descriptor), landing.address, journey)
        }
        advance(buffer)
        return step
    }

    /// The run is over.
    func end() { vanish() }

    // MARK: Its way

    private func late() {
        let limits = keeper.settings.current.limits
        let refusal = EgressRefusal(
            RuleID("limit-greeting"),
            "the client did not say where it wants to go within \(Int(limits.greetingSeconds)) s (greetingSeconds)"
        )
        deadline = .infinity
        switch phase {
        case .greeting: refuse(refusal, nil, isMalformed: true)
        case .sniffing(let approach, _): refuse(refusal, approach.target, isMalformed: true)
        case .dialling(let journey):
            failed(DialFailure("\(journey.approach.target) did not answer in time", isTimeout: true), journey)
        case .denying: vanish()
        case .leaving: vanish(resets: false)
        case .gone: break
        }
    }

    private func advance(_ buffer: UnsafeMutableRawBufferPointer) {
        var turns = 0
        while case .stays = step {
            switch phase {
            case .greeting: if greet() { continue }
            case .sniffing(let approach, let mayBePlain): if sniff(approach, mayBePlain: mayBePlain) { continue }
            case .denying(let refusal):
                if !said.isEmpty || hasEnded {
                    answer(refusal, isMalformed: false)
                    continue
                }
            case .dialling(let journey):
                if look(journey) { continue }
                return
            case .leaving:
                if hasEnded { return vanish(resets: false) }
                if turns >= Self.farewellTurns {
                    step = .busy
                    return
                }
                turns += 1
            case .gone: return
            }
            guard case .stays = step, hear(buffer) else { return }
        }
    }

    /// Reads once. False if there is nothing to go on with.
    private func hear(_ buffer: UnsafeMutableRawBufferPointer) -> Bool {
        guard client.isReadable else { return false }
        let part = UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(Self.chunkBytes))
        switch client.receive(into: part) {
        case .bytes(let count):
            // From its first byte on it takes memory.
            if case .leaving = phase { return true }
            if beginPending(nil) { said.append(contentsOf: part.prefix(count)) }
        case .end: hasEnded = true
        case .blocked: return false
        case .failed:
            vanish()
            return false
        }
        return true
    }

    /// True if there is more to do at once; false if more must be heard.
    private func greet() -> Bool {
        var rest = said[...]
        do throws(EgressRefusal) {
            let heard = try greeting.read(&rest, keeper.settings.current.limits)
            said = Array(rest)
            switch heard {
            case .more:
                if hasEnded { vanish() }
                return false
            case .reply(let bytes): write(bytes)
            case .tunnel(let target): decide(target, isRequest: false)
            case .request(let target): decide(target, isRequest: true)
            }
        } catch {
            refuse(alarm ?? error, nil, isMalformed: true)
        }
        return true
    }

    /// What is not understood is not sent anywhere, and may still show what somebody tried.
    private var alarm: EgressRefusal? { PlaceholderNames.refusal(of: said, keeper.settings.current) }

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
        if approach.door == .gateway { return forward(approach, isTLS: false) }
        switch treatment {
        case .refuse: break
        case .plainRequests:
            sayReady()
            forward(approach, isTLS: false)
        case .secureRequests, .eitherRequests:
            sayReady()
            phase = .sniffing(approach, mayBePlain: treatment == .eitherRequests)
        case .splice(let requiresTLS):
            dial(
                Journey(
                    approach: approach,
                    decision: decision,
                    requiresTLS: requiresTLS,
                    version: version,
                    limits: settings.limits
                )
            )
        }
    }

    /// True if there is more to do at once; false if more must be heard.
    private func sniff(_ approach: Approach, mayBePlain: Bool) -> Bool {
        do throws(EgressRefusal) {
            switch try ClientHello.read(said[...]) {
            case .incomplete:
                if hasEnded { vanish() }
                return false
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
            refuse(alarm ?? error, approach.target, isMalformed: false)
        }
        return true
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
        guard let pass else { return }
        endPending()
        self.pass = nil
        phase = .gone
        let (door, head) = (door, said)
        said = []
        step = .hands(client.descriptor) { door.forward($0, approach, head: head, isTLS: isTLS, pass) }
    }

    /// Begins to dial: from here where there is one address that is known, and by way of SwiftNIO where a name must be
    /// looked up or several addresses are tried.
    private func dial(_ journey: Journey) {
        let target = journey.approach.target
        guard let pass, beginPending(target) else { return }
        do throws(EgressRefusal) { try keeper.crossings.goOut(pass) } catch {
            return refuse(error, target, isMalformed: true)
        }
        phase = .dialling(journey)
        do {
            if let address = try keeper.dialing.known(target) {
                let descriptor = try OutsideSocket.connect(to: address, for: target)
                server = (SpliceSocket(descriptor: descriptor, isReadable: false, isWritable: false), address)
                deadline = now + journey.limits.dialSeconds
                step = .dials(descriptor)
            } else {
                deadline = .infinity
                door.dial(target, for: id)
            }
        } catch {
            failed(error, journey)
        }
    }

    /// Looks what became of the connections while one is being made. True if there is more to do at once.
    private func look(_ journey: Journey) -> Bool {
        // One that only says no more may still listen.
        if client.isHungUp, OutsideSocket.failure(of: client.descriptor) != nil {
            vanish()
            return false
        }
        guard let (socket, address) = server, socket.isWritable else { return false }
        server = nil
        if socket.isHungUp, let code = OutsideSocket.failure(of: socket.descriptor) {
            _ = Glibc.close(socket.descriptor)
            failed(OutsideSocket.unreachable(journey.approach.target, code), journey)
        } else {
            connected(socket, address, journey)
        }
        return true
    }

    private func failed(_ error: any Error, _ journey: Journey) {
        endPending()
        let target = journey.approach.target
        if let refusal = error as? EgressRefusal { return refuse(refusal, target, isMalformed: false) }
        keeper.dialing.failed(target)
        let failure = error as? DialFailure ?? DialFailure("\(target) did not answer")
        keeper.refused(
            journey.approach.door,
            host: target.host.description,
            port: target.port,
            journey.decision,
            since: since,
            ending: failure.reason
        )
        leave(greeting.unreachable(failure, first: said.first))
    }

    private func connected(_ server: SpliceSocket, _ address: CheckedAddress, _ journey: Journey) {
        endPending()
        let target = journey.approach.target
        if let refusal = forbidden(target, since: journey.version) {
            server.close(reset: true)
            return refuse(refusal, target, isMalformed: false)
        }
        sayReady()
        guard case .stays = step, let pass else { return server.close(reset: true) }
        let name: HostName? = if case .name(let name) = target.host { name } else { nil }
        let pair = SplicePair(
            client: client,
            head: said,
            server: server,
            gate: ServerNameGate(name: name, requiresTLS: journey.requiresTLS),
            idleSeconds: journey.limits.idleSeconds,
            greetingSeconds: journey.limits.greetingSeconds
        )
        self.pass = nil
        said = []
        phase = .gone
        let crossing = Doorkeeper.Crossing(
            approach: journey.approach,
            decision: journey.decision,
            address: address,
            pass: pass,
            version: journey.version,
            since: since
        )
        step = .splices(pair, keeper.watch(crossing, as: id))
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

    // MARK: Answers

    private func sayReady() {
        isReady = true
        if let bytes = greeting.ready() { write(bytes) }
    }

    private func refuse(_ refusal: EgressRefusal, _ target: ConnectTarget?, isMalformed: Bool) {
        record(refusal, target)
        if greeting.answersInKind, said.isEmpty, !hasEnded {
            phase = .denying(refusal)
            deadline = now + keeper.settings.current.limits.greetingSeconds
            closeServer()
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
            let (address, port) = OutsideSocket.localPlace(of: client.descriptor)
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
        guard let bytes else { return vanish() }
        closeServer()
        endPending()
        said = []
        phase = .leaving
        deadline = now + Self.farewellSeconds
        write(bytes)
        guard case .leaving = phase else { return }
        client.finish()
        if hasEnded { vanish(resets: false) }
    }

    /// Goes without a word.
    private func vanish(resets: Bool = true) {
        if case .gone = phase { return }
        phase = .gone
        step = .gone
        closeServer()
        client.close(reset: resets)
        endPending()
        if let pass { keeper.crossings.leave(pass) }
        pass = nil
    }

    private func closeServer() {
        server?.socket.close(reset: true)
        server = nil
    }

    /// Sends a few bytes. Who does not take them has more to read than it ever asked for.
    private func write(_ bytes: [UInt8]) {
        guard case .bytes(bytes.count) = bytes.withUnsafeBytes({ client.send($0) }) else { return vanish() }
    }

    private static func plainOnTLS(_ target: ConnectTarget) -> EgressRefusal {
        EgressRefusal(
            RuleID("tls-not"),
            "what the client says to \(target) is no TLS, and only TLS may pass there",
            remedy: "Speak TLS to this port."
        )
    }
}
