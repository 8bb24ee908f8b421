import CLinux
import Glibc

/// The relay's thread: it waits for the kernel and moves bytes. Nothing of it is shared.
struct RelayLoop {
    /// Bytes that are read at once, and where many wait for slow takers.
    private static let chunkBytes = 256 << 10
    private static let smallChunkBytes = 4 << 10
    /// Bytes that may wait for all connections before chunks become small.
    private static let backlogBytesMax = 32 << 20
    /// How often late connections are looked for.
    private static let sweepSeconds = 0.5

    private let queue: Int32
    private let wake: Int32
    private var splices: [UInt64: Splice] = [:]
    /// Those that used up their turn.
    private var busy: Set<UInt64> = []
    private var backlog = 0
    private var now = RelayLoop.seconds()
    private var isStopped = false

    init(wake: Int32) throws(RelayError) {
        queue = bailey_queue_make()
        self.wake = wake
        guard queue >= 0 else { throw RelayError("make an event queue", errno) }
        guard bailey_queue_watch(queue, wake, 0, 1) == 0 else { throw RelayError("watch an event", errno) }
    }

    mutating func run(_ takeOrders: () -> [Relay.Order]) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.chunkBytes, alignment: 4096)
        var events = [bailey_event](repeating: bailey_event(), count: Int(BAILEY_EVENTS_MAX))
        var swept = now
        while !isStopped {
            let timeout: Int32 = splices.isEmpty ? -1 : busy.isEmpty ? Int32(Self.sweepSeconds * 1000) : 0
            let count = bailey_queue_wait(queue, &events, timeout)
            now = Self.seconds()
            var turns = busy
            for event in events.prefix(max(0, Int(count))) {
                let key = event.key
                guard key != 0 else {
                    Self.drain(wake)
                    continue
                }
                splices[key >> 1]?.note(event.what, of: key & 1 == 0 ? .client : .server)
                turns.insert(key >> 1)
            }
            for number in turns { turn(number, buffer) }
            for order in takeOrders() { obey(order, buffer) }
            if now - swept >= Self.sweepSeconds {
                swept = now
                sweep()
            }
        }
        for number in Array(splices.keys) { end(number, .closed("the run is over")) }
        buffer.deallocate()
        _ = Glibc.close(queue)
    }

    private mutating func obey(_ order: Relay.Order, _ buffer: UnsafeMutableRawBufferPointer) {
        switch order {
        case .add(let id, let pair, let done): add(id.number, pair, buffer, done)
        case .close(let id, let reason): end(id.number, .closed(reason))
        case .stop: isStopped = true
        }
    }

    private mutating func add(
        _ number: UInt64,
        _ pair: SplicePair,
        _ buffer: UnsafeMutableRawBufferPointer,
        _ done: @escaping @Sendable (SpliceReport) -> Void
    ) {
        let splice = Splice(pair, now: now, done: done)
        splices[number] = splice
        backlog += splice.backlog
        for (side, socket) in [splice.client, splice.server].enumerated() {
            guard bailey_queue_watch(queue, socket.descriptor, number << 1 | UInt64(side), 0) == 0 else {
                return end(number, .broken("watch: \(String(cString: strerror(errno)))"))
            }
        }
        turn(number, buffer)
    }

    private mutating func turn(_ number: UInt64, _ buffer: UnsafeMutableRawBufferPointer) {
        let chunk = backlog < Self.backlogBytesMax ? Self.chunkBytes : Self.smallChunkBytes
        let part = UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(chunk))
        guard let before = splices[number]?.backlog else { return }
        let progress = splices[number]?.pump(part, now: now) ?? .waiting
        backlog += (splices[number]?.backlog ?? before) - before
        switch progress {
        case .waiting: busy.remove(number)
        case .busy: busy.insert(number)
        case .ended(let ending): end(number, ending)
        }
    }

    private mutating func end(_ number: UInt64, _ ending: SpliceReport.Ending) {
        guard var splice = splices.removeValue(forKey: number) else { return }
        busy.remove(number)
        backlog -= splice.backlog
        splice.close(ending)
        splice.done(splice.report(ending, now: now))
    }

    private mutating func sweep() {
        let late = splices.compactMap { number, splice in splice.lateness(now: now).map { (number, $0) } }
        for (number, reason) in late { end(number, .late(reason)) }
    }

    private static func drain(_ descriptor: Int32) {
        var count: UInt64 = 0
        _ = read(descriptor, &count, MemoryLayout.size(ofValue: count))
    }

    private static func seconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
