import BrokerLink
import Domain
import Egress
import NIOCore
import NIOPosix
import Synchronization

/// Listens where a name's own addresses are, on the ports that programs of the sandbox could bind too.
final class NameSockets: Sendable {
    /// Makes a listening socket in the sandbox's network; it waits for another process.
    typealias Make = @Sendable (ListenerRequest) throws -> HandedListener

    private struct State {
        var make: Make?
        /// What is listened on. A name is announced again when its answer came too late, or gets further ports.
        var places: Set<ListenerRequest> = []
    }

    private let state = Mutex(State())
    private let serve: @Sendable (HandedListener) -> Void
    /// No event loop may wait for a socket.
    private let pool = NIOThreadPool(numberOfThreads: 1)
    private let loop: any EventLoop
    private let most: Int

    /// Below this port one socket listens for all names.
    private static let ownPortsFrom: UInt16 = 1024

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

    /// Completes when somebody listens on all of the ports.
    ///
    /// - Throws: through the future: `EgressRefusal` where there are as many sockets as there may be, else `LinkError`.
    func open(_ name: SyntheticName, _ ports: [UInt16]) -> EventLoopFuture<Void> {
        let own = ports.filter { $0 >= Self.ownPortsFrom }
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
                "\(most) sockets were made for names on ports from \(Self.ownPortsFrom) on (listeners)",
                remedy: "A new run begins anew."
            )
        }
        serve(try make(place))
        state.withLock { _ = $0.places.insert(place) }
    }
}
