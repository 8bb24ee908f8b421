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
    /// Doors, visitors and splices are counted together; a visitor's number is that of the splice that it becomes.
    private var lastNumber: UInt64 = 0
    private var doors: [UInt64: Door] = [:]
    /// Doors that let nobody in until the next sweep: there was no room for another socket.
    private var shut: [UInt64] = []
    private var visitors: [UInt64: Visitor] = [:]
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
        var turns: [UInt64] = []
        var swept = now
        while !isStopped {
            let isIdle = splices.isEmpty && visitors.isEmpty && shut.isEmpty
            let timeout: Int32 = isIdle ? -1 : busy.isEmpty ? Int32(Self.sweepSeconds * 1000) : 0
            let count = bailey_queue_wait(queue, &events, timeout)
            now = Self.seconds()
            turns.removeAll(keepingCapacity: true)
            turns.append(contentsOf: busy)
            for event in events.prefix(max(0, Int(count))) {
                let key = event.key
                guard key != 0 else {
                    bailey_bell_clear(wake)
                    continue
                }
                note(event.what, of: key & 1 == 0 ? .client : .server, key >> 1)
                turns.append(key >> 1)
            }
            for number in turns { turn(number, buffer) }
            for order in takeOrders() { obey(order, buffer) }
            if now - swept >= Self.sweepSeconds {
                swept = now
                sweep(buffer)
            }
        }
        stop()
        buffer.deallocate()
    }

    private mutating func stop() {
        for visitor in visitors.values { visitor.end() }
        for number in Array(splices.keys) { end(number, .closed("the run is over")) }
        for door in doors.values { _ = Glibc.close(door.descriptor) }
        _ = Glibc.close(queue)
    }

    private mutating func note(_ events: UInt32, of side: Splice.Side, _ number: UInt64) {
        splices[number]?.note(events, of: side)
        visitors[number]?.note(events, of: side)
    }

    private mutating func obey(_ order: Relay.Order, _ buffer: UnsafeMutableRawBufferPointer) {
        switch order {
        case .open(let door):
            lastNumber += 1
            doors[lastNumber] = door
            if !watch(door.descriptor, lastNumber, .client, isDoor: true) { shut.append(lastNumber) }
        case .splice(let pair, let done): splice(pair, buffer, done)
        case .landed(let id, let result):
            guard let visitor = visitors[id.number] else {
                if case .success(let landing) = result { _ = Glibc.close(landing.descriptor) }
                return
            }
            if case .success(let landing) = result { _ = watch(landing.descriptor, id.number, .server) }
            take(visitor.landed(result, now: now, buffer), of: id.number, buffer)
        case .close(let id, let reason): end(id.number, .closed(reason))
        case .stop: isStopped = true
        }
    }

    /// Begins with two sockets that nobody watches yet.
    private mutating func splice(
        _ pair: SplicePair,
        _ buffer: UnsafeMutableRawBufferPointer,
        _ done: @escaping @Sendable (SpliceReport) -> Void
    ) {
        lastNumber += 1
        let number = lastNumber
        let splice = Splice(pair, now: now, done: done)
        splices[number] = splice
        backlog += splice.backlog
        let isWatched = watch(pair.client.descriptor, number, .client) && watch(pair.server.descriptor, number, .server)
        if isWatched { pump(number, buffer) } else { end(number, .broken(String(cString: strerror(errno)))) }
    }

    /// A turn of whatever has this number.
    private mutating func turn(_ number: UInt64, _ buffer: UnsafeMutableRawBufferPointer) {
        if splices[number] != nil {
            pump(number, buffer)
        } else if let visitor = visitors[number] {
            take(visitor.turn(now: now, buffer), of: number, buffer)
        } else if let door = doors[number] {
            admit(door, number, buffer)
        }
    }

    /// Lets in one of those who wait at a door; the others have their turns between theirs.
    private mutating func admit(_ door: Door, _ number: UInt64, _ buffer: UnsafeMutableRawBufferPointer) {
        switch door.accept(as: SpliceID(number: lastNumber + 1)) {
        case .nobody: return
        case .full:
            bailey_queue_forget(queue, door.descriptor)
            shut.append(number)
        case .visitor(let visitor):
            lastNumber += 1
            let number = lastNumber
            visitors[number] = visitor
            let step = visitor.begin(now: now, buffer)
            guard case .gone = step else {
                guard watch(visitor.descriptor, number, .client) else {
                    visitor.end()
                    visitors[number] = nil
                    return
                }
                return take(step, of: number, buffer)
            }
            visitors[number] = nil
        }
    }

    /// Does what a visitor wants after its turn.
    private mutating func take(_ step: Visitor.Step, of number: UInt64, _ buffer: UnsafeMutableRawBufferPointer) {
        busy.remove(number)
        switch step {
        case .stays: break
        case .busy: busy.insert(number)
        case .dials(let descriptor):
            // What is not watched takes too long.
            _ = watch(descriptor, number, .server)
        case .splices(let pair, let done):
            visitors[number] = nil
            let splice = Splice(pair, now: now, done: done)
            splices[number] = splice
            backlog += splice.backlog
            pump(number, buffer)
        case .hands(let descriptor, let take):
            visitors[number] = nil
            bailey_queue_forget(queue, descriptor)
            take(descriptor)
        case .gone: visitors[number] = nil
        }
    }

    private func watch(_ descriptor: Int32, _ number: UInt64, _ side: Splice.Side, isDoor: Bool = false) -> Bool {
        bailey_queue_watch(queue, descriptor, number << 1 | UInt64(side.rawValue), isDoor ? 1 : 0) == 0
    }

    private mutating func pump(_ number: UInt64, _ buffer: UnsafeMutableRawBufferPointer) {
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

    private mutating func sweep(_ buffer: UnsafeMutableRawBufferPointer) {
        let late = splices.compactMap { number, splice in splice.lateness(now: now).map { (number, $0) } }
        for (number, reason) in late { end(number, .late(reason)) }
        let slow = visitors.filter { $0.value.deadline <= now }
        for (number, visitor) in slow { take(visitor.turn(now: now, buffer), of: number, buffer) }
        let closed = shut
        shut = []
        for number in closed {
            guard let door = doors[number], !watch(door.descriptor, number, .client, isDoor: true) else { continue }
            shut.append(number)
        }
    }

    private static func seconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }
}
