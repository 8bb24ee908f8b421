import Broker
import BrokerLink
import Domain
import NIOCore
import NIOPosix
import Synchronization
import Testing

@Suite("a request is announced once or not at all, and holds nobody up meanwhile", .serialized)
struct LinkLedgerTests {
    private let supervisor: PacketLink
    private let ledger: LinkLedger
    private let loop = MultiThreadedEventLoopGroup.singleton.any()

    init() throws {
        let (own, other) = try PacketLink.pair()
        supervisor = own
        ledger = try LinkLedger(other)
    }

    private func report(_ number: UInt64) -> ModelReport {
        let tokens = ModelUse.Tokens(input: 1, output: 1)
        return .requested(.init(number: number, provider: "p", model: "m", tokens: tokens, microdollars: nil))
    }

    private func announce(_ number: UInt64) -> Announcement { ledger.announce(report(number), on: loop) }

    /// Announces until the supervisor is behind.
    ///
    /// - Returns: how many were told, and what became of the one behind them.
    private func fill() -> (count: UInt64, last: Announcement) {
        for number in UInt64(1)... {
            let last = announce(number)
            if case .told = last { continue }
            return (number - 1, last)
        }
        return (0, .untold)
    }

    /// The numbers of all that the supervisor has to read.
    private func read() throws -> [UInt64] {
        var numbers: [UInt64] = []
        while case .packet(let packet) = try supervisor.receive(bytesMax: BrokerReport.bytesMax, waits: false) {
            guard case .model(.requested(let request)) = BrokerReport(packet.bytes) else { continue }
            numbers.append(request.number)
        }
        return numbers
    }

    @Test("what finds no room waits without its event loop, and is told when there is room")
    func waits() throws {
        let (count, last) = fill()
        guard case .waits(let isTold, _) = last else {
            Issue.record("\(last)")
            return
        }
        // Where the loop itself waited, this would not be answered for a second.
        let began = NIODeadline.now()
        try loop.submit {}.wait()
        #expect(NIODeadline.now() - began < .milliseconds(500))
        #expect(try ledger.send())
        #expect(try read() == Array(1...count))
        #expect(try !ledger.send())
        #expect(try isTold.wait())
        #expect(try read() == [count + 1])
    }

    @Test("nobody overtakes who waits")
    func order() throws {
        let (count, first) = fill()
        _ = try read()
        let second = announce(count + 2)
        guard case .waits(let isFirstTold, _) = first, case .waits(let isSecondTold, _) = second else {
            Issue.record("\(first), \(second)")
            return
        }
        #expect(try !ledger.send())
        #expect(try isFirstTold.wait() && isSecondTold.wait())
        #expect(try read() == [count + 1, count + 2])
    }

    @Test("a supervisor that stays behind is not told any more")
    func tooLate() throws {
        let (count, last) = fill()
        guard case .waits(let isTold, _) = last else {
            Issue.record("\(last)")
            return
        }
        let began = NIODeadline.now()
        #expect(try !isTold.wait())
        #expect(NIODeadline.now() - began < .seconds(10))
        #expect(try read() == Array(1...count))
        #expect(try !ledger.send())
        #expect(try read() == [])
    }

    @Test("what is withdrawn is not told, and what was told stays so")
    func withdrawn() throws {
        let (count, first) = fill()
        let second = announce(count + 2)
        guard case .waits(let isFirstTold, let withdrawFirst) = first,
            case .waits(let isSecondTold, let withdrawSecond) = second
        else {
            Issue.record("\(first), \(second)")
            return
        }
        withdrawFirst()
        #expect(try !isFirstTold.wait())
        _ = try read()
        #expect(try !ledger.send())
        withdrawSecond()
        withdrawFirst()
        #expect(try isSecondTold.wait())
        #expect(try read() == [count + 2])
    }

    private final class Flag: Sendable {
        let isSet = Mutex(false)
    }

    @Test("from many threads at once, each is told once or withdrawn")
    func crowd() throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 4)
        defer { try? group.syncShutdownGracefully() }
        let (ledger, most) = (ledger, UInt64(4000))
        let made = (UInt64(1)...4).map { part in
            let loop = group.next()
            return loop.flatSubmit { () -> EventLoopFuture<[(UInt64, Bool)]> in
                let numbers = stride(from: part, through: most, by: 4)
                let answers = numbers.map { number -> EventLoopFuture<(UInt64, Bool)> in
                    switch ledger.announce(report(number), on: loop) {
                    case .told: return loop.makeSucceededFuture((number, true))
                    case .untold: return loop.makeSucceededFuture((number, false))
                    case .waits(let isTold, let withdraw):
                        if number.isMultiple(of: 3) { loop.execute { withdraw() } }
                        return isTold.map { (number, $0) }
                    }
                }
                return EventLoopFuture.whenAllSucceed(answers, on: loop)
            }
        }
        let all = EventLoopFuture.whenAllSucceed(made, on: group.next())
        var heard: [UInt64] = []
        let flag = Flag()
        all.whenComplete { _ in flag.isSet.withLock { $0 = true } }
        while !flag.isSet.withLock({ $0 }) {
            _ = try ledger.send()
            heard += try read()
        }
        heard += try read()
        let told = try all.wait().flatMap { $0 }.filter(\.1).map(\.0)
        #expect(heard.sorted() == told.sorted())
        #expect(Set(heard).count == heard.count)
    }
}
