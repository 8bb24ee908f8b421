import CLinux
import Glibc
import Synchronization

/// Lets connections of the sandbox in, and copies bytes between pairs of sockets, on a thread of its own.
///
/// It is no part of SwiftNIO: few calls for a connection, all on one thread, one read and one write a chunk, nothing
/// kept where the other side takes it at once, no memory for a connection that is silent. An end is carried over as an
/// end, a reset as a reset.
package final class Relay: Sendable {
    enum Order: Sendable {
        case open(Door)
        case splice(SplicePair, @Sendable (SpliceReport) -> Void)
        case landed(SpliceID, Result<Landing, any Error>)
        case close(SpliceID, String)
        case stop
    }

    private struct State {
        var orders: [Order] = []
        var isStopped = false
        var thread: pthread_t?
    }

    private let state = Mutex(State())
    /// Wakes the thread.
    private let wake: Int32

    /// - Throws: ``RelayError`` where the kernel gives no thread or no descriptor.
    package init() throws(RelayError) {
        let wake = bailey_bell_make()
        guard wake >= 0 else { throw RelayError("make an event descriptor", errno) }
        self.wake = wake
        let loop = try RelayLoop(wake: wake)
        try start(loop)
    }

    deinit { _ = Glibc.close(wake) }

    /// Lets in whoever connects to a listening socket, until the end.
    func open(_ door: Door) {
        if !give(.open(door)) { _ = Glibc.close(door.descriptor) }
    }

    /// Copies between two connected sockets, which it takes over, and closes them in the end.
    ///
    /// - Parameter done: is called once, when both are closed; on the relay's thread, where it must not block.
    func splice(_ pair: SplicePair, done: @escaping @Sendable (SpliceReport) -> Void) {
        guard !give(.splice(pair, done)) else { return }
        for socket in [pair.client, pair.server] { socket.close(reset: true) }
        done(SpliceReport(ending: .closed("the run is over")))
    }

    /// Tells a visitor what became of a connection that is made for it.
    func landed(_ id: SpliceID, _ result: Result<Landing, any Error>) {
        if !give(.landed(id, result)), case .success(let landing) = result { _ = Glibc.close(landing.descriptor) }
    }

    /// False if nobody takes orders any more.
    private func give(_ order: Order) -> Bool {
        let isTaken = state.withLock { state in
            if !state.isStopped { state.orders.append(order) }
            return !state.isStopped
        }
        ring()
        return isTaken
    }

    /// Breaks a connection off. Nothing happens if it is over.
    package func close(_ id: SpliceID, because reason: String) {
        _ = give(.close(id, reason))
    }

    /// Breaks off every connection, and returns when the thread has ended, which has told of each. Not for the thread
    /// itself to call.
    package func stop() {
        let thread: pthread_t? = state.withLock { state in
            if !state.isStopped { state.orders.append(.stop) }
            state.isStopped = true
            return state.thread.take()
        }
        guard let thread else { return }
        ring()
        pthread_join(thread, nil)
    }

    func takeOrders() -> [Order] {
        state.withLock { state in
            defer { state.orders = [] }
            return state.orders
        }
    }

    private func ring() { bailey_bell_ring(wake) }

    private func start(_ loop: consuming RelayLoop) throws(RelayError) {
        let box = Unmanaged.passRetained(RelayThread(relay: self, loop: loop))
        var thread = pthread_t()
        let code = pthread_create(
            &thread,
            nil,
            { raw in
                if let raw { Unmanaged<RelayThread>.fromOpaque(raw).takeRetainedValue().run() }
                return nil
            },
            box.toOpaque()
        )
        guard code == 0 else {
            box.release()
            throw RelayError("start a thread", code)
        }
        state.withLock { $0.thread = thread }
    }
}

/// What the relay's thread begins with.
private final class RelayThread {
    private let relay: Relay
    private var loop: RelayLoop

    init(relay: Relay, loop: RelayLoop) {
        self.relay = relay
        self.loop = loop
    }

    func run() { loop.run { relay.takeOrders() } }
}

/// Why there is no relay.
package struct RelayError: Error, Sendable, CustomStringConvertible {
    package let description: String

    init(_ attempt: String, _ code: Int32) { description = "\(attempt): \(String(cString: strerror(code)))" }
}
