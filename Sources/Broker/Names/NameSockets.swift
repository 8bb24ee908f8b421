import BrokerLink
import Domain
import Egress
import NIOCore
import NIOPosix
import Synchronization

/// Listens where a name's own addresses are, on the ports that no socket from the start listens on for all addresses:
/// those that programs of the sandbox could bind too, and those that the policy got later.
final class NameSockets: Sendable {
    /// Makes a listening socket in the sandbox's network; it waits for another process.
    typealias Make = @Sendable (ListenerRequest) throws -> HandedListener

    private struct State {
        var make: Make?
        /// Ports on which one socket listens for all names.
        var shared: Set<UInt16> = []
        /// What is listened on. A name is announced again when its answer came too late, or gets further ports.
        var places: Set<ListenerRequest> = []
    }

    private let state = Mutex(State())
    private let serve: @Sendable (HandedListener) -> Void
    /// No event loop may wait for a socket.
    private let pool = NIOThreadPool(numberOfThreads: 1)
    private let loop: any EventLoop
    private let most: Int

    /// - Parameters:
    ///   - most: sockets that are made in all.
    ///   - serve: serves a socket, which it takes over.
    init(most: Int, on loop: any EventLoop, serve: @escaping @Sendable (HandedListener) -> Void) {
        self.most = most
        self.loop = loop
        self.serve = serve
        pool.start()
    }

    func take(_ make: @escaping Make) { state.withLock { $0.make = make } }

    /// On these ports one socket listens for all names.
    func share(_ ports: some Sequence<UInt16>) { state.withLock { $0.shared.formUnion(ports) } }

    /// Completes when somebody listens on all of the ports.
    ///
    /// - Throws: through the future: `EgressRefusal` where there are as many sockets as there may be, else `LinkError`.
    func open(_ name: SyntheticName, _ ports: [UInt16]) -> EventLoopFuture<Void> {
        let shared = state.withLock { $0.shared }
        let own = ports.filter { !shared.contains($0) }
        guard !own.isEmpty else { return loop.makeSucceededVoidFuture() }
        return pool.runIfActive(eventLoop: loop) {
            for port in own {
                try self.open(name.v4, port)
                // A program that gets no connection by IPv6 takes the other address.
                try? self.open(name.v6, port)
            }
        }
    }

    private func open(_ address: IPAddress, _ port: UInt16) throws {
        let place = ListenerRequest(role: .transparent, address: address, port: port)
        let (make, count, isOpen) = state.withLock { ($0.make, $0.places.count, $0.places.contains(place)) }
        if isOpen { return }
        guard let make else { throw LinkError("make a listener: nobody makes any") }
        guard count < most else {
            throw EgressRefusal(
                RuleID("limit-listeners"),
                "\(most) sockets were made for single names on ports of theirs (listeners)",
                remedy: "A new run begins anew."
            )
        }
        serve(try make(place))
        state.withLock { _ = $0.places.insert(place) }
    }
}
