import Egress
import NIOCore
import Synchronization

/// Tells whoever makes listening sockets of each name and its ports, before a program gets to know its addresses.
final class NameAnnouncements: Sendable {
    /// Makes what a name needs to be reached on these ports; the answer waits for it.
    typealias Hook = @Sendable (SyntheticName, [UInt16]) -> EventLoopFuture<Void>

    private struct Announced {
        var ports: Set<UInt16>
        /// Nil once it is done.
        var pending: EventLoopFuture<Void>?
    }

    /// Nobody made the sockets in time.
    struct Late: Error {}

    /// Seconds that an answer waits for the sockets of its name.
    static let hookSeconds: Int64 = 3

    private let hook: Hook
    private let state = Mutex<[HostName: Announced]>([:])

    init(_ hook: @escaping Hook) { self.hook = hook }

    /// Announces what was not announced yet.
    ///
    /// - Returns: nil where there is nothing to wait for.
    func announce(_ name: SyntheticName, _ ports: [UInt16], on loop: any EventLoop) -> EventLoopFuture<Void>? {
        let promise = loop.makePromise(of: Void.self)
        enum Step { case done, wait(EventLoopFuture<Void>), call }
        let step: Step = state.withLock { state in
            let known = state[name.name]
            if let known, known.ports.isSuperset(of: ports) { return known.pending.map { .wait($0) } ?? .done }
            let all = (known?.ports ?? []).union(ports)
            // Whoever asks meanwhile waits for this one, and this one for what was begun before.
            let pending = known?.pending.map { $0.and(promise.futureResult).map { _ in } } ?? promise.futureResult
            state[name.name] = Announced(ports: all, pending: pending)
            return .call
        }
        switch step {
        case .done:
            promise.succeed()
            return nil
        case .wait(let future):
            promise.succeed()
            return future.hop(to: loop)
        case .call:
            // Whichever of the two comes first counts.
            let timer = loop.scheduleTask(in: .seconds(Self.hookSeconds)) {
                self.settle(name.name, ports, .failure(Late()))
                promise.fail(Late())
            }
            hook(name, ports).hop(to: loop).whenComplete { result in
                timer.cancel()
                self.settle(name.name, ports, result)
                promise.completeWith(result)
            }
            return promise.futureResult
        }
    }

    /// What failed is announced again with the next question.
    private func settle(_ name: HostName, _ ports: [UInt16], _ result: Result<Void, any Error>) {
        state.withLock { state in
            switch result {
            case .success: if state[name]?.ports == Set(ports) { state[name]?.pending = nil }
            case .failure: state[name] = nil
            }
        }
    }
}
