import Egress
import Glibc

/// One connection through the relay: two sockets and what flows between them. It stays on the relay's thread.
struct Splice {
    /// Which of the two sockets.
    enum Side: Int { case client, server }

    /// How far it got.
    enum Progress: Equatable {
        /// Nothing more can be done until the kernel says so.
        case waiting
        /// It used up its turn; others come first.
        case busy
        case ended(SpliceReport.Ending)
    }

    private(set) var client: SpliceSocket
    private(set) var server: SpliceSocket
    private var out = SpliceFlow()
    private var into = SpliceFlow()
    private var gate: ServerNameGate
    let idleSeconds: Double
    let greetingSeconds: Double
    let began: Double
    /// When a byte last moved.
    private var lastMoved: Double
    /// When the client began to owe what the gate waits for.
    private var owedSince: Double?
    let done: @Sendable (SpliceReport) -> Void

    init(_ pair: SplicePair, now: Double, done: @escaping @Sendable (SpliceReport) -> Void) {
        client = pair.client
        server = pair.server
        gate = pair.gate
        idleSeconds = pair.idleSeconds
        greetingSeconds = pair.greetingSeconds
        began = now
        lastMoved = now
        self.done = done
        out.keep(pair.head)
    }

    /// Bytes that wait in this process.
    var backlog: Int { out.backlog + into.backlog }

    mutating func note(_ events: UInt32, of side: Side) {
        switch side {
        case .client: client.note(events)
        case .server: server.note(events)
        }
    }

    /// Why it has waited too long; nil where it has not.
    func lateness(now: Double) -> String? {
        if let owedSince, now - owedSince >= greetingSeconds {
            return "no whole ClientHello within \(Int(greetingSeconds)) s (greetingSeconds)"
        }
        return now - lastMoved >= idleSeconds ? "no byte for \(Int(idleSeconds)) s (idleSeconds)" : nil
    }

    func report(_ ending: SpliceReport.Ending, now: Double) -> SpliceReport {
        SpliceReport(bytesOut: out.bytes, bytesIn: into.bytes, seconds: now - began, ending: ending)
    }

    /// Closes both sides, so that each sees whether it was ended or broken off.
    mutating func close(_ ending: SpliceReport.Ending) {
        if case .refused(let refusal) = ending, let answer = PlainAnswer.bytes(refusal, first: out.held.first) {
            _ = answer.withUnsafeBytes { client.send($0) }
            client.close(reset: false)
        } else {
            client.close(reset: ending != .finished)
        }
        server.close(reset: ending != .finished)
    }

    /// Moves what can be moved, at most a turn's worth.
    ///
    /// - Parameter buffer: scratch memory that all splices share; its length is the most that is read at once.
    mutating func pump(_ buffer: UnsafeMutableRawBufferPointer, now: Double) -> Progress {
        let before = out.bytes + into.bytes
        var progress = pumpOut(buffer, now: now)
        if case .ended(let ending) = progress {
            // What the server said before it hung up is still the client's.
            if case .broken = ending { _ = pumpIn(buffer) }
            return progress
        }
        let inward = pumpIn(buffer)
        if case .ended = inward { return inward }
        // The server's answer may have opened the gate for what the client said meanwhile.
        if !gate.isOpen || out.backlog > 0 {
            let again = pumpOut(buffer, now: now)
            if case .ended = again { return again }
            if again == .busy { progress = .busy }
        }
        if out.bytes + into.bytes != before { lastMoved = now }
        if out.isFinished && into.isFinished { return .ended(.finished) }
        return progress == .busy || inward == .busy ? .busy : .waiting
    }

    /// From the client to the server, through the gate.
    private mutating func pumpOut(_ buffer: UnsafeMutableRawBufferPointer, now: Double) -> Progress {
        if !gate.isOpen {
            if let ending = passGate(buffer, now: now) { return .ended(ending) }
            if !gate.isOpen { return .waiting }
        }
        return Self.move(&out, from: &client, to: &server, buffer)
    }

    /// Reads what the gate needs, and lets through what it lets through. Returns how it ended, if it did.
    private mutating func passGate(_ buffer: UnsafeMutableRawBufferPointer, now: Double) -> SpliceReport.Ending? {
        while true {
            switch gate.judge(out.held) {
            case .open:
                owedSince = nil
                return nil
            case .refuse(let refusal): return .refused(refusal)
            case .pass(let count):
                // The beginning of a fresh connection always fits its send buffer; where it does not, all is off.
                let sent = out.held.prefix(count).withUnsafeBytes { server.send($0) }
                guard sent == .bytes(count) else { return .broken("the server takes no ClientHello") }
                out.bytes += UInt64(count)
                out.drop(count)
                owedSince = nil
            case .hold:
                if out.hasEnded {
                    if gate.end(held: out.held) { return nil }
                    return .broken("the client ended before its greeting did")
                }
                guard out.backlog < Self.heldBytesMax else {
                    return gate.wantsAnswer ? nil : .refused(ClientHello.malformed("it does not end"))
                }
                guard client.isReadable else {
                    owedSince = gate.isOwed(out.held) ? owedSince ?? now : nil
                    return nil
                }
                if let ending = readForGate(buffer) { return ending }
            }
        }
    }

    /// A ClientHello, and a record that may stand before it.
    private static let heldBytesMax = ClientHello.streamBytesMax + 64

    /// Reads a little for the gate. Returns how it ended, if it did.
    private mutating func readForGate(_ buffer: UnsafeMutableRawBufferPointer) -> SpliceReport.Ending? {
        let part = UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(4096))
        switch client.receive(into: part) {
        case .bytes(let count): out.keep(UnsafeRawBufferPointer(rebasing: part.prefix(count)))
        case .end: out.hasEnded = true
        case .blocked: break
        case .failed(let code): return .broken("the client's side: \(Self.words(code))")
        }
        return nil
    }

    /// From the server to the client.
    private mutating func pumpIn(_ buffer: UnsafeMutableRawBufferPointer) -> Progress {
        guard gate.wantsAnswer else { return Self.move(&into, from: &server, to: &client, buffer) }
        guard server.isReadable else { return .waiting }
        switch server.receive(into: UnsafeMutableRawBufferPointer(rebasing: buffer.prefix(4096))) {
        case .bytes(let count):
            let bytes = UnsafeRawBufferPointer(rebasing: buffer.prefix(count))
            do { try gate.hear(bytes) } catch { return .ended(.refused(error)) }
            into.keep(bytes)
        case .end: into.hasEnded = true
        case .blocked: break
        case .failed(let code): return .ended(.broken("the server's side: \(Self.words(code))"))
        }
        let progress = Self.move(&into, from: &server, to: &client, buffer)
        return into.isFinished && gate.wantsAnswer ? .ended(.finished) : progress
    }

    /// Bytes that one direction moves in its turn while others wait.
    private static let turnBytes = 1 << 20

    private static func move(
        _ flow: inout SpliceFlow,
        from source: inout SpliceSocket,
        to destination: inout SpliceSocket,
        _ buffer: UnsafeMutableRawBufferPointer
    ) -> Progress {
        var moved = 0
        while moved < turnBytes {
            if flow.backlog > 0 {
                guard destination.isWritable else { return .waiting }
                switch flow.held.withUnsafeBytes({ destination.send($0) }) {
                case .bytes(let count):
                    flow.bytes += UInt64(count)
                    flow.drop(count)
                    moved += count
                    continue
                case .blocked, .end: return .waiting
                case .failed(let code): return .ended(.broken(words(code)))
                }
            }
            if flow.hasEnded {
                if !flow.isFinished { destination.finish() }
                flow.isFinished = true
                return .waiting
            }
            guard source.isReadable, destination.isWritable else { return .waiting }
            switch source.receive(into: buffer) {
            case .end: flow.hasEnded = true
            case .blocked: return .waiting
            case .failed(let code): return .ended(.broken(words(code)))
            case .bytes(let count):
                let bytes = UnsafeRawBufferPointer(rebasing: buffer.prefix(count))
                var sent = 0
                switch destination.send(bytes) {
                case .bytes(let count): sent = count
                case .blocked, .end: break
                case .failed(let code): return .ended(.broken(words(code)))
                }
                flow.bytes += UInt64(sent)
                if sent < count { flow.keep(UnsafeRawBufferPointer(rebasing: bytes.dropFirst(sent))) }
                moved += count
            }
        }
        return .busy
    }

    private static func words(_ code: Int32) -> String { String(cString: strerror(code)) }
}
