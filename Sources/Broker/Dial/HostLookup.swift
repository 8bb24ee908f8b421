import BrokerLink
import Domain
package import Egress
package import NIOCore
import Synchronization

/// What is known of a name outside. Nothing has been judged.
package struct HostAnswer: Sendable, Equatable {
    package var aliases: [DNSName] = []
    package var addresses: [IPAddress] = []
    /// Seconds for which this may be used again; 0 for this once only.
    package var timeToLiveSeconds: UInt32 = 0
}

/// Looks names up at the name servers of the host, for both families at once. One look-up of a name runs at a time, so
/// that a forged answer has one question to hit.
package final class HostLookup: Sendable {
    private struct State {
        /// Of one version of the settings; another version empties them.
        var version = 0
        var running: [HostName: EventLoopFuture<HostAnswer>] = [:]
        var kept: [HostName: (answer: HostAnswer, until: NIODeadline)] = [:]
    }

    /// Seconds that an answer is kept at most, whatever its own life.
    static let keptSecondsMax: UInt32 = 30
    /// Answers that are kept at once.
    static let keptMax = 1024
    /// Name servers that are asked, one after the other, as the C library does.
    static let serversMax = 3
    /// Seconds that one server has for an answer, in the first round and in the second.
    static let roundSeconds = [1.5, 3.0]
    /// Seconds that the other family is waited for once one has addresses.
    static let graceSeconds = 1.0

    private let settings: SettingsStore
    private let rate = EventRate()
    private let state = Mutex(State())

    package init(settings: SettingsStore) { self.settings = settings }

    /// - Throws: through the future: ``DialFailure`` where no server gave an answer.
    package func look(up name: HostName, on loop: any EventLoop) -> EventLoopFuture<HostAnswer> {
        let version = settings.version
        let settings = settings.current
        if let known = settings.knownNames[name] { return loop.makeSucceededFuture(HostAnswer(addresses: known)) }
        let promise = loop.makePromise(of: HostAnswer.self)
        enum Step { case kept(HostAnswer), running(EventLoopFuture<HostAnswer>), begin }
        let step: Step = state.withLock { state in
            if state.version != version { state = State(version: version) }
            if let kept = state.kept[name], kept.until > .now() { return .kept(kept.answer) }
            if let running = state.running[name] { return .running(running) }
            state.running[name] = promise.futureResult
            return .begin
        }
        switch step {
        case .kept(let answer): promise.succeed(answer)
        case .running(let future): future.hop(to: loop).cascade(to: promise)
        case .begin:
            guard rate.take(perSecond: settings.limits.lookupsPerSecond, at: Self.seconds()) else {
                let refusal = Result<HostAnswer, any Error>.failure(Self.tooMany(settings.limits))
                finish(name, version, refusal)
                promise.completeWith(refusal)
                break
            }
            ask(name, settings, on: loop).whenComplete { result in
                self.finish(name, version, result)
                promise.completeWith(result)
            }
        }
        return promise.futureResult
    }

    /// What is known without asking anybody; nil where somebody must be asked.
    func kept(_ name: HostName) -> HostAnswer? {
        let version = settings.version
        if let known = settings.current.knownNames[name] { return HostAnswer(addresses: known) }
        return state.withLock { state in
            guard state.version == version, let kept = state.kept[name], kept.until > .now() else { return nil }
            return kept.answer
        }
    }

    private static func seconds() -> Double { Double(NIODeadline.now().uptimeNanoseconds) / 1e9 }

    /// With a wildcard, programs choose the names: they shall not flood the name servers of the host.
    private static func tooMany(_ limits: BrokerLimits) -> EgressRefusal {
        EgressRefusal(
            RuleID("limit-lookups"),
            "\(limits.lookupsPerSecond) names were looked up within a second (lookupsPerSecond)",
            remedy: "Try again later; see which program asks for so many names."
        )
    }

    /// Looks again with the next call: what was said led nowhere.
    package func forget(_ name: HostName) { state.withLock { $0.kept[name] = nil } }

    private func finish(_ name: HostName, _ version: Int, _ result: Result<HostAnswer, any Error>) {
        state.withLock { state in
            guard state.version == version else { return }
            state.running[name] = nil
            guard case .success(let answer) = result, answer.timeToLiveSeconds > 0 else { return }
            if state.kept.count >= Self.keptMax {
                let now = NIODeadline.now()
                state.kept = state.kept.filter { $0.value.until > now }
                if state.kept.count >= Self.keptMax { state.kept = [:] }
            }
            let seconds = min(answer.timeToLiveSeconds, Self.keptSecondsMax)
            state.kept[name] = (answer, .now() + .seconds(Int64(seconds)))
        }
    }

    /// Asks for both families. With the addresses of one, the other has a moment more and is then done without: what is
    /// not known is not dialled.
    private func ask(
        _ name: HostName,
        _ settings: BrokerSettings,
        on loop: any EventLoop
    ) -> EventLoopFuture<HostAnswer> {
        let servers = Array(settings.nameServers.prefix(Self.serversMax))
        guard !servers.isEmpty else {
            return loop.makeFailedFuture(DialFailure("\(name) cannot be looked up: this machine has no name server"))
        }
        let families = [DNSType.a, .aaaa].map { type in
            withGrace(rounds(servers, DNSName(name), type, on: loop), on: loop)
        }
        let first = families[0].0.and(families[1].0)
        for (index, family) in families.enumerated() {
            let other = families[1 - index].1
            family.0.whenSuccess { result in
                guard case .success(let chain) = result, !chain.addresses.isEmpty else { return }
                let timer = loop.scheduleTask(in: .milliseconds(Int64(Self.graceSeconds * 1000))) {
                    other.succeed(.failure(NameServerExchange.Failure.silent))
                }
                first.whenComplete { _ in timer.cancel() }
            }
        }
        return first.flatMapThrowing { try Self.joined(name, [$0, $1]) }
    }

    /// The result as a value, and the promise that ends the wait for it.
    private func withGrace(
        _ future: EventLoopFuture<AnswerChain>,
        on loop: any EventLoop
    ) -> (EventLoopFuture<Result<AnswerChain, any Error>>, EventLoopPromise<Result<AnswerChain, any Error>>) {
        let promise = loop.makePromise(of: Result<AnswerChain, any Error>.self)
        future.whenComplete { promise.succeed($0) }
        return (promise.futureResult, promise)
    }

    private static func joined(
        _ name: HostName,
        _ results: [Result<AnswerChain, any Error>]
    ) throws -> HostAnswer {
        var answer = HostAnswer(timeToLiveSeconds: .max)
        var failure: (any Error)?
        for result in results {
            switch result {
            case .success(let chain):
                answer.aliases += chain.aliases
                answer.addresses += chain.addresses
                answer.timeToLiveSeconds = min(answer.timeToLiveSeconds, chain.timeToLiveSeconds)
            case .failure(let error): failure = error
            }
        }
        if let failure, answer.addresses.isEmpty, answer.aliases.isEmpty {
            let isTimeout = if case NameServerExchange.Failure.silent = failure { true } else { false }
            throw DialFailure(reason(name, failure), isTimeout: isTimeout)
        }
        // Half of an answer is kept too: a server that never answers for one family would cost each connection a wait.
        if answer.addresses.isEmpty { answer.timeToLiveSeconds = 0 }
        return answer
    }

    private static func reason(_ name: HostName, _ failure: any Error) -> String {
        let why =
            switch failure {
            case NameServerExchange.Failure.silent: "no name server answered in time"
            case NameServerExchange.Failure.unreachable: "no name server can be reached"
            case NameServerExchange.Failure.refused(let code): "the name server answered with code \(code.rawValue)"
            default: "the name server's answer was not understood"
            }
        return "\(name) cannot be looked up: \(why)"
    }

    /// Each server in turn, twice; the first answer counts.
    private func rounds(
        _ servers: [NameServer],
        _ name: DNSName,
        _ type: DNSType,
        on loop: any EventLoop
    ) -> EventLoopFuture<AnswerChain> {
        let attempts = Self.roundSeconds.flatMap { seconds in servers.map { (server: $0, seconds: seconds) } }
        @Sendable func attempt(_ index: Int) -> EventLoopFuture<AnswerChain> {
            let (server, seconds) = attempts[index]
            let time = TimeAmount.milliseconds(Int64(seconds * 1000))
            return NameServerExchange.ask(server, name, type, within: time, on: loop)
                .flatMapThrowing { try AnswerChain($0) }
                .flatMapError { error in
                    index + 1 < attempts.count ? attempt(index + 1) : loop.makeFailedFuture(error)
                }
        }
        return attempt(0)
    }
}
