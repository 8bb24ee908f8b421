import BrokerLink
import Egress
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import Broker

@Suite("a name's own sockets are made once, and only so many")
struct NameSocketsTests {
    private let loop: any EventLoop = MultiThreadedEventLoopGroup.singleton.next()
    private let names = SyntheticNames()

    private func name(_ text: String) throws -> SyntheticName {
        try names.addresses(of: HostName(text), limits: BrokerLimits())
    }

    /// What is made is written down; the descriptors are none.
    private func sockets(_ most: Int, _ made: Made) -> NameSockets {
        let sockets = NameSockets(most: most, on: loop) { _ in }
        sockets.share([80, 443])
        sockets.take { request in
            try made.list.withLock { list in
                // As the kernel does.
                guard !list.contains(request) else { throw LinkError("EADDRINUSE") }
                list.append(request)
            }
            return HandedListener(request: request, descriptor: -1)
        }
        return sockets
    }

    private final class Made: Sendable { let list = Mutex<[ListenerRequest]>([]) }

    @Test func aNameThatIsAnnouncedAgainIsReachedStill() throws {
        let made = Made()
        let sockets = sockets(100, made)
        let name = try name("db.example.com")
        try sockets.open(name, [443, 5432]).wait()
        #expect(made.list.withLock { $0.map(\.port) } == [5432, 5432])
        try sockets.open(name, [443, 5432, 5433]).wait()
        #expect(made.list.withLock { $0.map(\.port) } == [5432, 5432, 5433, 5433])
    }

    @Test func noMoreAreMadeThanThereMayBe() throws {
        let made = Made()
        let sockets = sockets(3, made)
        try sockets.open(try name("a.example.com"), [5432]).wait()
        // Its second address has no socket any more, and programs take the first.
        try sockets.open(try name("b.example.com"), [5432]).wait()
        #expect(made.list.withLock { $0.count } == 3)
        #expect(throws: EgressRefusal.self) { try sockets.open(try name("c.example.com"), [5432]).wait() }
        try sockets.open(try name("a.example.com"), [5432]).wait()
        #expect(made.list.withLock { $0.count } == 3)
    }
}
