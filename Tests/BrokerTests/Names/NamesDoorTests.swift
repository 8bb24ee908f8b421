import Broker
import BrokerLink
import Glibc
import NIOCore
import NIOPosix
import Testing

@Suite("the resolver answers on sockets that somebody else made")
struct NamesDoorTests {
    /// A resolver on loopback, UDP and TCP, and the ports of both.
    private final class Door: Sendable {
        let fixture: NamesFixture
        let ports: (datagram: UInt16, stream: UInt16)
        private let channels: [any Channel]

        init(_ allow: [String], limits: BrokerLimits = BrokerLimits()) async throws {
            let fixture = try NamesFixture(allow, limits: limits)
            let responder = fixture.responder()
            let (datagram, datagramPort) = try Plain.bound(Int32(SOCK_DGRAM.rawValue))
            let (stream, streamPort) = try Plain.bound(Int32(SOCK_STREAM.rawValue))
            #expect(listen(stream, 64) == 0)
            self.fixture = fixture
            ports = (datagramPort, streamPort)
            channels = [
                try await NamesDoor.serveDatagrams(datagram, responder, on: fixture.loop).get(),
                try await NamesDoor.serveStreams(stream, responder, limits: limits, on: fixture.loop).get(),
            ]
        }

        func close() async throws { for channel in channels { try await channel.close() } }
    }

    @Test("datagrams, streams, several questions on one stream, and a question in pieces")
    func doors() async throws {
        let door = try await Door(["github.com"])
        let question = TestQuestion("github.com").bytes
        let unlisted = TestQuestion("evil.example").bytes
        let datagram = try Plain.connected(Int32(SOCK_DGRAM.rawValue), door.ports.datagram)
        let stream = try Plain.connected(Int32(SOCK_STREAM.rawValue), door.ports.stream)
        #expect(TestAnswer(Plain.exchange(datagram, question))?.address == "198.18.1.1")
        #expect(TestAnswer(Plain.exchange(datagram, unlisted))?.code == 3)
        let framed = TestQuestion.word(UInt16(question.count)) + question
        let other = TestQuestion.word(UInt16(unlisted.count)) + unlisted
        Plain.send(stream, framed + other + framed[..<5])
        #expect(TestAnswer(Plain.frame(stream))?.address == "198.18.1.1")
        #expect(TestAnswer(Plain.frame(stream))?.code == 3)
        Plain.send(stream, Array(framed[5...]))
        #expect(TestAnswer(Plain.frame(stream))?.address == "198.18.1.1")
        Plain.close([datagram, stream])
        try await door.close()
    }

    @Test("what is no question closes a stream, and a datagram is not answered")
    func noQuestions() async throws {
        let door = try await Door(["github.com"])
        for bytes: [UInt8] in [[0xFF, 0xFF], [0, 0], [0, 3, 1, 2, 3]] {
            let stream = try Plain.connected(Int32(SOCK_STREAM.rawValue), door.ports.stream)
            Plain.send(stream, bytes)
            #expect(Plain.frame(stream) == nil)
            Plain.close([stream])
        }
        let datagram = try Plain.connected(Int32(SOCK_DGRAM.rawValue), door.ports.datagram)
        var answer = TestQuestion("github.com")
        answer.flags = 0x8180
        Plain.send(datagram, [])
        Plain.send(datagram, [UInt8](repeating: 0, count: 5000))
        Plain.send(datagram, answer.bytes)
        // The next answer is to the question behind them, or to the long one, which was cut and is malformed.
        let codes = [Plain.exchange(datagram, TestQuestion("github.com").bytes), Plain.receive(datagram)].compactMap {
            TestAnswer($0)?.code
        }
        #expect(codes == [1, 0])
        Plain.close([datagram])
        try await door.close()
    }

    @Test("a stream that says nothing is closed in time, and no more are open than the limit")
    func idleStreams() async throws {
        var limits = BrokerLimits()
        limits.greetingSeconds = 0.3
        let door = try await Door(["github.com"], limits: limits)
        var streams: [CInt] = []
        for _ in 0..<300 { streams.append(try Plain.connected(Int32(SOCK_STREAM.rawValue), door.ports.stream)) }
        for stream in streams { #expect(Plain.frame(stream) == nil) }
        Plain.close(streams)
        let stream = try Plain.connected(Int32(SOCK_STREAM.rawValue), door.ports.stream)
        let question = TestQuestion("github.com").bytes
        Plain.send(stream, TestQuestion.word(UInt16(question.count)) + question)
        #expect(TestAnswer(Plain.frame(stream))?.code == 0)
        Plain.close([stream])
        try await door.close()
    }

    @Test("a client that asks without end and takes no answer is read no further")
    func unreadAnswers() async throws {
        var limits = BrokerLimits()
        limits.questionsPerSecond = 10_000_000
        let door = try await Door(["github.com"], limits: limits)
        let stream = try Plain.connected(Int32(SOCK_STREAM.rawValue), door.ports.stream)
        let question = TestQuestion("github.com", 1, edns: 1232).bytes
        let framed = TestQuestion.word(UInt16(question.count)) + question
        let many = (0..<1000).flatMap { _ in framed }
        _ = fcntl(stream, F_SETFL, O_NONBLOCK)
        var sent = 0
        var stalls = 0
        while stalls < 20, sent < 256 << 20 {
            let count = Glibc.send(stream, many, many.count, Int32(MSG_NOSIGNAL))
            if count > 0 { sent += count } else { try await Task.sleep(for: .milliseconds(10)) }
            stalls = count > 0 ? 0 : stalls + 1
        }
        #expect(sent < 64 << 20, "\(sent) bytes of questions were taken")
        let datagram = try Plain.connected(Int32(SOCK_DGRAM.rawValue), door.ports.datagram)
        #expect(TestAnswer(Plain.exchange(datagram, TestQuestion("github.com").bytes))?.code == 0)
        Plain.close([stream, datagram])
        try await door.close()
    }
}
