import Egress
import NIOCore
import NIOPosix

/// Tries the addresses of one name, each a moment after the one before it, and keeps the first that answers (RFC 8305).
/// It runs on one loop.
final class ConnectionRace {
    /// Opens one connection; the closure gets the channel as soon as there is one, to close it when it is not needed.
    typealias Connect =
        @Sendable (
            CheckedAddress, TimeAmount, any EventLoop, @escaping @Sendable (any Channel) -> Void
        ) -> EventLoopFuture<any Channel>

    /// Time until the next address is tried beside those that have not answered (RFC 8305, section 5).
    static let stagger = TimeAmount.milliseconds(250)
    /// Addresses that are tried.
    static let addressesMax = 8

    private let target: ConnectTarget
    private let addresses: [CheckedAddress]
    private let recheck: @Sendable (CheckedAddress) -> EgressRefusal?
    private let connect: Connect
    private let deadline: NIODeadline
    private let loop: any EventLoop
    private let promise: EventLoopPromise<Dialled>
    private var next = 0
    private var running = 0
    private var isOver = false
    private var channels: [any Channel] = []
    private var failure: (any Error)?
    private var timers: [Scheduled<Void>] = []

    /// - Parameter recheck: asked right before each connection: the settings may have changed since the look-up.
    init(
        _ target: ConnectTarget,
        _ addresses: [CheckedAddress],
        until deadline: NIODeadline,
        on loop: any EventLoop,
        recheck: @escaping @Sendable (CheckedAddress) -> EgressRefusal?,
        connect: @escaping Connect
    ) {
        self.target = target
        self.addresses = Array(Self.interleaved(addresses).prefix(Self.addressesMax))
        self.deadline = deadline
        self.loop = loop
        self.recheck = recheck
        self.connect = connect
        promise = loop.makePromise(of: Dialled.self)
    }

    /// On the loop, once.
    func run() -> EventLoopFuture<Dialled> {
        timers.append(
            loop.assumeIsolated().scheduleTask(deadline: deadline) {
                self.finish(.failure(DialFailure("\(self.target) did not answer in time", isTimeout: true)))
            }
        )
        tryNext()
        return promise.futureResult
    }

    /// One of each family in turn, IPv6 first (RFC 8305, section 4).
    private static func interleaved(_ addresses: [CheckedAddress]) -> [CheckedAddress] {
        let v6 = addresses.filter { if case .v6 = $0.address { true } else { false } }
        let v4 = addresses.filter { if case .v4 = $0.address { true } else { false } }
        return (0..<max(v6.count, v4.count)).flatMap { index in
            [v6, v4].compactMap { $0.indices.contains(index) ? $0[index] : nil }
        }
    }

    private func tryNext() {
        guard !isOver, next < addresses.count else { return }
        let address = addresses[next]
        next += 1
        if let refusal = recheck(address) { return finish(.failure(refusal)) }
        running += 1
        let keep = NIOLoopBound(self, eventLoop: loop)
        let attempt = connect(address, deadline - .now(), loop) { channel in keep.value.began(channel) }
        attempt.hop(to: loop).assumeIsolated().whenComplete { self.ended(address, $0) }
        timers.append(loop.assumeIsolated().scheduleTask(in: Self.stagger) { self.tryNext() })
    }

    private func began(_ channel: any Channel) {
        if isOver { channel.close(promise: nil) } else { channels.append(channel) }
    }

    private func ended(_ address: CheckedAddress, _ result: Result<any Channel, any Error>) {
        running -= 1
        switch result {
        case .success(let channel):
            guard !isOver else { return channel.close(promise: nil) }
            finish(check(channel, address))
        case .failure(let error):
            failure = error
            if next < addresses.count {
                tryNext()
            } else if running == 0 {
                let reason = "\(target) cannot be reached: \(describe(error))"
                finish(.failure(DialFailure(reason, isTimeout: SocketFailure.isTimeout(error))))
            }
        }
    }

    /// The connection goes where it was meant to go.
    private func check(_ channel: any Channel, _ address: CheckedAddress) -> Result<Dialled, any Error> {
        guard let remote = channel.remoteAddress, remote.port == Int(address.port),
            remote.ipAddress.flatMap({ IPAddress($0) }) == address.address
        else { return .failure(DialFailure("\(target): the connection leads elsewhere than to \(address)")) }
        return .success(Dialled(channel: channel, address: address))
    }

    private func finish(_ result: Result<Dialled, any Error>) {
        guard !isOver else { return }
        isOver = true
        for timer in timers { timer.cancel() }
        let kept = if case .success(let dialled) = result { dialled.channel } else { (any Channel)?.none }
        for channel in channels where channel !== kept { channel.close(promise: nil) }
        channels = []
        promise.completeWith(result)
    }

    private func describe(_ error: any Error) -> String {
        let tried = next == 1 ? "one address was tried" : "\(next) addresses were tried"
        return "\(tried), \(SocketFailure.text(error))"
    }
}

/// What a failed connection is called.
enum SocketFailure {
    static func text(_ error: any Error) -> String {
        switch error {
        case let error as IOError: "and the last said \"\(String(cString: strerror(error.errnoCode)))\""
        case ChannelError.connectTimeout: "and the last did not answer"
        default: "and the last failed"
        }
    }

    static func isTimeout(_ error: any Error) -> Bool {
        if case ChannelError.connectTimeout = error { return true }
        return (error as? IOError)?.errnoCode == ETIMEDOUT
    }
}
