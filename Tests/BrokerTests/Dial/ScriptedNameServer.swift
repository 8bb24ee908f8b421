import Broker
import BrokerLink
import Egress
import Glibc
import Synchronization

/// A name server on loopback that does as it is told, honest or not.
final class ScriptedNameServer: Sendable {
    struct Question: Sendable {
        let id: UInt16
        /// As it was asked.
        let name: [UInt8]
        let type: UInt16
        let isStream: Bool
        /// How many there were before it for the same name and type.
        let count: Int

        var text: String { String(decoding: name, as: UTF8.self).lowercased() }
    }

    struct Record: Sendable {
        var owner: String
        var type: UInt16
        var data: [UInt8]
        var life: UInt32 = 60

        static func a(_ owner: String, _ address: String, life: UInt32 = 60) -> Record {
            Record(owner: owner, type: 1, data: address.split(separator: ".").compactMap { UInt8($0) }, life: life)
        }

        static func aaaa(_ owner: String, _ address: String) -> Record {
            guard let v6 = IPv6Address(address) else { preconditionFailure("\(address) is an address") }
            let bytes = [v6.high, v6.low].flatMap { half in withUnsafeBytes(of: half.bigEndian) { Array($0) } }
            return Record(owner: owner, type: 28, data: bytes)
        }

        static func alias(_ owner: String, _ target: String) -> Record {
            Record(owner: owner, type: 5, data: TestQuestion.wire(target))
        }
    }

    /// What is sent, one message after the other.
    enum Step: Sendable {
        case records([Record])
        case code(UInt16)
        case truncated
        case wrongID
        /// An answer to another question.
        case otherName(String)
        /// The name in lower case, not as it was asked.
        case lowered([Record])
        case raw([UInt8])
        /// From another socket.
        case elsewhere([Record])
        case wait(milliseconds: Int)
    }

    typealias Script = @Sendable (Question) -> [Step]

    let server: NameServer
    private let script: Script
    private let sockets: [CInt]
    private let counts = Mutex<[String: Int]>([:])
    private let seen = Mutex<[Question]>([])

    var questions: [Question] { seen.withLock { $0 } }

    init(_ script: @escaping Script) throws {
        self.script = script
        var pair: (CInt, CInt, UInt16)?
        // One port for both.
        for _ in 0..<50 where pair == nil {
            let (stream, port) = try Plain.bound(Int32(SOCK_STREAM.rawValue))
            if let datagram = try? Plain.bound(Int32(SOCK_DGRAM.rawValue), port: port).0 {
                pair = (stream, datagram, port)
            } else {
                close(stream)
            }
        }
        guard let (stream, datagram, port) = pair, listen(stream, 16) == 0,
            let loopback = IPAddress("127.0.0.1")
        else { throw Plain.Failure() }
        server = NameServer(address: loopback, port: port)
        sockets = [datagram, stream]
        TestThread.start { self.serveDatagrams(datagram) }
        TestThread.start { self.serveStreams(stream) }
    }

    /// Both threads end with their sockets.
    func stop() { for socket in sockets { shutdown(socket, Int32(SHUT_RDWR)) } }

    private func serveDatagrams(_ socket: CInt) {
        while true {
            var buffer = [UInt8](repeating: 0, count: 2048)
            var from = sockaddr_in()
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let count = Plain.withAddress(&from) { recvfrom(socket, &buffer, buffer.count, 0, $0, &length) }
            guard count > 0 else {
                close(socket)
                return
            }
            guard let question = question(Array(buffer[..<count]), isStream: false) else { continue }
            let (client, size) = (from, length)
            let steps = script(question)
            // Each on its own, so that a slow answer holds up no other.
            TestThread.start {
                for step in steps {
                    guard let bytes = Self.message(step, question) else { continue }
                    var to = client
                    let other =
                        if case .elsewhere = step { try? Plain.bound(Int32(SOCK_DGRAM.rawValue)).0 } else { CInt?.none }
                    _ = Plain.withAddress(&to) { sendto(other ?? socket, bytes, bytes.count, 0, $0, size) }
                    if let other { close(other) }
                }
            }
        }
    }

    private func serveStreams(_ socket: CInt) {
        while true {
            let client = accept(socket, nil, nil)
            guard client >= 0 else {
                close(socket)
                return
            }
            if let bytes = Plain.frame(client), let question = question(bytes, isStream: true) {
                for step in script(question) {
                    guard let answer = Self.message(step, question) else { continue }
                    Plain.send(client, TestQuestion.word(UInt16(answer.count)) + answer)
                }
            }
            close(client)
        }
    }

    private func question(_ bytes: [UInt8], isStream: Bool) -> Question? {
        guard bytes.count > 16 else { return nil }
        var labels: [[UInt8]] = []
        var at = 12
        while bytes[at] != 0 {
            labels.append(Array(bytes[at + 1...at + Int(bytes[at])]))
            at += 1 + Int(bytes[at])
        }
        let type = UInt16(bytes[at + 1]) << 8 | UInt16(bytes[at + 2])
        let name = Array(labels.joined(separator: [UInt8(ascii: ".")]))
        let key = String(decoding: name, as: UTF8.self).lowercased() + " \(type)"
        let count = counts.withLock { counts in
            counts[key, default: 0] += 1
            return (counts[key] ?? 1) - 1
        }
        let question = Question(
            id: UInt16(bytes[0]) << 8 | UInt16(bytes[1]),
            name: name,
            type: type,
            isStream: isStream,
            count: count
        )
        seen.withLock { $0.append(question) }
        return question
    }

    private static func message(_ step: Step, _ question: Question) -> [UInt8]? {
        let name = String(decoding: question.name, as: UTF8.self)
        func answer(_ records: [Record], id: UInt16? = nil, flags: UInt16 = 0x8180, name: String) -> [UInt8] {
            let counts = [1, UInt16(records.count), 0, 0]
            let head = ([id ?? question.id, flags] + counts).flatMap(TestQuestion.word)
            let body = records.flatMap { record in
                TestQuestion.wire(record.owner) + TestQuestion.word(record.type) + [0, 1]
                    + TestQuestion.word(UInt16(record.life >> 16)) + TestQuestion.word(UInt16(record.life & 0xFFFF))
                    + TestQuestion.word(UInt16(record.data.count)) + record.data
            }
            return head + TestQuestion.wire(name) + TestQuestion.word(question.type) + [0, 1] + body
        }
        switch step {
        case .records(let records), .elsewhere(let records): return answer(records, name: name)
        case .code(let code): return answer([], flags: 0x8180 | code, name: name)
        case .truncated: return answer([], flags: 0x8380, name: name)
        case .wrongID: return answer([.a(name, "93.184.216.66")], id: question.id ^ 1, name: name)
        case .otherName(let other): return answer([.a(other, "93.184.216.66")], name: other)
        case .lowered(let records):
            return answer(records, name: name.lowercased() == name ? name.uppercased() : name.lowercased())
        case .raw(let bytes): return TestQuestion.word(question.id) + bytes
        case .wait(let milliseconds):
            usleep(UInt32(milliseconds) * 1000)
            return nil
        }
    }
}

/// A thread of its own for blocking sockets.
enum TestThread {
    private final class Body {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    /// Waits for blocking work without holding up the tests that run beside it.
    static func value<Value: Sendable>(_ body: @escaping @Sendable () throws -> Value) async throws -> Value {
        try await withCheckedThrowingContinuation { continuation in
            start { continuation.resume(with: Result { try body() }) }
        }
    }

    static func start(_ run: @escaping @Sendable () -> Void) {
        var thread = pthread_t()
        let body = Unmanaged.passRetained(Body(run)).toOpaque()
        pthread_create(
            &thread,
            nil,
            { pointer in
                guard let pointer else { return nil }
                Unmanaged<Body>.fromOpaque(pointer).takeRetainedValue().run()
                return nil
            },
            body
        )
        pthread_detach(thread)
    }
}
