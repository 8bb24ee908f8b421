import BrokerLink
import Domain
package import Egress
package import NIOCore
import NIOPosix
import Synchronization

/// Opens the connections of one sandbox to the outside.
///
/// A destination is decided on once more, its name is looked up, every answer is judged, and what is dialled is a
/// ``CheckedAddress``: the guard is the only one who makes those. Nothing is taken over from an earlier connection but
/// a young answer of a name server, and that is judged again.
package final class Dialer: Dialing {
    private let settings: SettingsStore
    private let lookup: HostLookup
    private let connect: ConnectionRace.Connect
    private let pending = Mutex(0)
    /// Connections that are open and were not handed on as sockets: those of requests that are seen.
    private let open = Mutex(0)

    package convenience init(settings: SettingsStore) { self.init(settings: settings, connect: Self.connected) }

    /// - Parameter connect: how a connection to a checked address is made. Which addresses those are is not for it.
    init(settings: SettingsStore, connect: @escaping ConnectionRace.Connect) {
        self.settings = settings
        self.connect = connect
        lookup = HostLookup(settings: settings)
    }

    package func dial(_ target: ConnectTarget, on loop: any EventLoop) -> EventLoopFuture<Dialled> {
        let limits = settings.current.limits
        let isWithin = pending.withLock { pending in
            guard pending < limits.pending else { return false }
            pending += 1
            return true
        }
        guard isWithin else { return loop.makeFailedFuture(Self.tooMany(limits)) }
        guard open.withLock({ $0 < limits.requestConnections }) else {
            pending.withLock { $0 -= 1 }
            return loop.makeFailedFuture(Self.tooManyOpen(limits))
        }
        let deadline = NIODeadline.now() + .milliseconds(Int64(limits.dialSeconds * 1000))
        let result = checked(target, until: deadline, on: loop).flatMap { addresses in
            self.race(target, addresses, until: deadline, on: loop)
        }
        result.whenComplete { outcome in
            self.pending.withLock { $0 -= 1 }
            if case .success(let dialled) = outcome {
                self.open.withLock { $0 += 1 }
                dialled.channel.closeFuture.whenComplete { _ in self.open.withLock { $0 -= 1 } }
            }
            if case .failure = outcome { self.failed(target) }
        }
        return result
    }

    package func known(_ target: ConnectTarget) throws(EgressRefusal) -> CheckedAddress? {
        let policy = settings.current.policy
        if let refusal = Self.refusal(of: target, policy) { throw refusal }
        guard case .name(let name) = target.host else { return nil }
        if let upstream = Self.upstream(target, policy) { return policy.addresses.check(upstream) }
        guard let answer = lookup.kept(name), answer.addresses.count == 1,
            let address = try? Self.judge(name, answer, target, policy).first, refusal(of: address, target) == nil
        else { return nil }
        return address
    }

    package func failed(_ target: ConnectTarget) { if case .name(let name) = target.host { lookup.forget(name) } }

    /// The addresses that may be dialled for a target.
    private func checked(
        _ target: ConnectTarget,
        until deadline: NIODeadline,
        on loop: any EventLoop
    ) -> EventLoopFuture<[CheckedAddress]> {
        let policy = settings.current.policy
        if let refusal = Self.refusal(of: target, policy) { return loop.makeFailedFuture(refusal) }
        switch target.host {
        case .address(let address):
            return loop.makeCompletedFuture { try policy.addresses.check([address], port: target.port) }
        case .name(let name):
            if let upstream = Self.upstream(target, policy) {
                return loop.makeSucceededFuture([policy.addresses.check(upstream)])
            }
            return bounded(lookup.look(up: name, on: loop), name, until: deadline, on: loop).flatMapThrowing { answer in
                // What is in force now counts, not what was when the look-up began.
                try Self.judge(name, answer, target, self.settings.current.policy)
            }
        }
    }

    private func bounded(
        _ future: EventLoopFuture<HostAnswer>,
        _ name: HostName,
        until deadline: NIODeadline,
        on loop: any EventLoop
    ) -> EventLoopFuture<HostAnswer> {
        let promise = loop.makePromise(of: HostAnswer.self)
        let timer = loop.scheduleTask(deadline: deadline) {
            promise.fail(DialFailure("\(name) cannot be looked up: no name server answered in time", isTimeout: true))
        }
        future.whenComplete { result in
            timer.cancel()
            promise.completeWith(result)
        }
        return promise.futureResult
    }

    private func race(
        _ target: ConnectTarget,
        _ addresses: [CheckedAddress],
        until deadline: NIODeadline,
        on loop: any EventLoop
    ) -> EventLoopFuture<Dialled> {
        loop.flatSubmit {
            ConnectionRace(
                target,
                addresses,
                until: deadline,
                on: loop,
                recheck: { self.refusal(of: $0, target) },
                connect: self.connect
            ).run()
        }
    }

    /// Why an address may not be dialled after all.
    private func refusal(of address: CheckedAddress, _ target: ConnectTarget) -> EgressRefusal? {
        let policy = settings.current.policy
        if let refusal = Self.refusal(of: target, policy) { return refusal }
        if let upstream = Self.upstream(target, policy) {
            return policy.addresses.check(upstream) == address ? nil : Self.moved(target)
        }
        if let refusal = policy.addresses.refusal(of: address.address) { return refusal }
        guard !OwnAddress.isOwn(address.address) else {
            return EgressRefusal(
                RuleID("address-own"),
                "\(target) leads to \(address.address), this host's own address",
                remedy: "Only a declared upstream of the operator's reaches it: one name, one port, this address."
            )
        }
        return nil
    }

    /// The one decision, as it is now.
    private static func refusal(of target: ConnectTarget, _ policy: NetworkPolicy) -> EgressRefusal? {
        let decision = policy.decide(connect: Array(target.description.utf8))
        guard decision.verdict != .allow else { return nil }
        return EgressRefusal(decision.rule, decision.reason, remedy: decision.remedy)
    }

    private static func upstream(_ target: ConnectTarget, _ policy: NetworkPolicy) -> Upstream? {
        guard case .name(let name) = target.host else { return nil }
        return policy.upstreams.first { $0.name == name && $0.port == target.port }
    }

    /// Judges every alias and every address of a look-up.
    static func judge(
        _ name: HostName,
        _ answer: HostAnswer,
        _ target: ConnectTarget,
        _ policy: NetworkPolicy
    ) throws -> [CheckedAddress] {
        let aliases = try answer.aliases.map { alias in
            guard let host = alias.host else {
                throw EgressRefusal(RuleID("host-syntax"), "\(name) is an alias of \(alias), which is no host name")
            }
            return host
        }
        let decision = policy.decide(name: Array(name.text.utf8), aliases: aliases, answers: answer.addresses)
        guard decision.verdict == .allow else {
            guard !answer.addresses.isEmpty || decision.rule != RuleID("address-none") else {
                throw DialFailure("\(name) has no address: the name server says that there is none")
            }
            let reason = decision.reason.contains(name.text) ? decision.reason : "\(name): \(decision.reason)"
            throw EgressRefusal(decision.rule, reason, remedy: decision.remedy)
        }
        return try policy.addresses.check(answer.addresses, port: target.port)
    }

    private static func moved(_ target: ConnectTarget) -> EgressRefusal {
        EgressRefusal(RuleID("network-upstream"), "the upstream \(target) has got another address meanwhile")
    }

    private static func tooMany(_ limits: BrokerLimits) -> EgressRefusal {
        EgressRefusal(
            RuleID("limit-pending"),
            "\(limits.pending) connections are being opened at once, and that is the limit",
            remedy: "Try again when some of them are open."
        )
    }

    private static func tooManyOpen(_ limits: BrokerLimits) -> EgressRefusal {
        EgressRefusal(
            RuleID("limit-outside"),
            "\(limits.requestConnections) connections are open outside for requests that are seen (requestConnections)",
            remedy: "Try again when some of them are closed."
        )
    }

    private static let connected: ConnectionRace.Connect = { address, time, loop, began in
        guard let remote = try? address.address.socketAddress(port: address.port) else {
            return loop.makeFailedFuture(DialFailure("\(address) is no address of a socket"))
        }
        return ClientBootstrap(group: loop)
            .connectTimeout(max(.milliseconds(1), time))
            .channelOption(.autoRead, value: false)
            .channelOption(.tcpOption(.tcp_nodelay), value: 1)
            .channelOption(.recvAllocator, value: ReadSize.allocator)
            .channelOption(.maxMessagesPerRead, value: ReadSize.callsMax)
            .channelInitializer { channel in
                began(channel)
                return channel.eventLoop.makeSucceededVoidFuture()
            }
            .connect(to: remote)
    }
}
