import BrokerLink
import Domain
import Egress
import NIOCore
import NIOEmbedded
import NIOPosix
import Synchronization

@testable import Broker

/// A dialer whose connections end in the test: what it dials is written down, and no packet leaves. The guard is the
/// product's own.
final class DialFixture: Sendable {
    /// What becomes of one connection.
    enum Outcome: Sendable { case connects, refuses, hangs, leadsElsewhere }

    let settings: SettingsStore
    let dialled = Mutex<[String]>([])
    let outcomes: Mutex<@Sendable (String) -> Outcome>
    private let hanging = Mutex<[EventLoopPromise<any Channel>]>([])
    let loop: any EventLoop = MultiThreadedEventLoopGroup.singleton.next()
    let servers: [ScriptedNameServer]

    init(
        _ allow: [String]? = nil,
        servers: [ScriptedNameServer] = [],
        outcomes: @escaping @Sendable (String) -> Outcome = { _ in .connects },
        change: (inout BrokerSettings) throws -> Void = { _ in }
    ) throws {
        var settings = BrokerSettings()
        settings.policy = NetworkPolicy(allow: try allow?.map { try NetworkRule($0) })
        settings.nameServers = servers.map(\.server)
        try change(&settings)
        self.settings = SettingsStore(settings)
        self.servers = servers
        self.outcomes = Mutex(outcomes)
    }

    deinit { for server in servers { server.stop() } }

    func dialer() -> Dialer {
        Dialer(settings: settings) { address, time, loop, began in
            self.dialled.withLock { $0.append(address.description) }
            let channel = NIOAsyncTestingChannel()
            switch self.outcomes.withLock({ $0 })(address.description) {
            case .connects:
                channel.remoteAddress = try? address.address.socketAddress(port: address.port)
                began(channel)
                return loop.makeSucceededFuture(channel)
            case .leadsElsewhere:
                channel.remoteAddress = try? address.address.socketAddress(port: address.port ^ 1)
                return loop.makeSucceededFuture(channel)
            case .refuses:
                return loop.makeFailedFuture(IOError(errnoCode: 111, reason: "connect"))
            case .hangs:
                let promise = loop.makePromise(of: (any Channel).self)
                self.hanging.withLock { $0.append(promise) }
                loop.scheduleTask(in: time) { promise.fail(ChannelError.connectTimeout(time)) }
                return promise.futureResult
            }
        }
    }

    /// Ends the connections that hang.
    func release() {
        for promise in hanging.withLock({ $0 }) { promise.fail(ChannelError.connectTimeout(.seconds(1))) }
    }

    /// Begins to dial. What is dialled for a target, or the rule or the reason why nothing is.
    func begin(_ target: String, _ dialer: Dialer? = nil) -> EventLoopFuture<String> {
        do {
            let target = try ConnectTarget(Array(target.utf8))
            return (dialer ?? self.dialer()).dial(target, on: loop).map(\.address.description)
                .flatMapErrorThrowing(Self.word)
        } catch {
            return loop.makeCompletedFuture { try Self.word(error) }
        }
    }

    /// Dials, and waits for it here: other tests must not come between, as time counts.
    func dial(_ target: String, _ dialer: Dialer? = nil) throws -> String { try begin(target, dialer).wait() }

    @Sendable private static func word(_ error: any Error) throws -> String {
        switch error {
        case let refusal as EgressRefusal: return refusal.rule.rawValue
        case let failure as DialFailure: return failure.isTimeout ? "\(failure.reason) (timeout)" : failure.reason
        default: throw error
        }
    }
}
