import Broker
import Domain
import Egress
import Testing

@Suite("a ClientHello is read strictly")
struct ClientHelloTests {
    private static func read(_ bytes: [UInt8]) -> Result<ClientHello.Reading, EgressRefusal> {
        do throws(EgressRefusal) { return .success(try ClientHello.read(bytes[...])) } catch { return .failure(error) }
    }

    @Test(arguments: [nil, 1, 7, 100])
    func itIsReadAcrossRecordsAndFromEveryPart(recordBytes: Int?) throws {
        var hello = HelloBytes("API.example.com")
        hello.protocols = ["h2", "http/1.1"]
        hello.recordBytes = recordBytes
        if recordBytes == 1 { hello.extensions = [] }
        let stream = hello.stream
        if recordBytes == 1 {
            #expect(throws: EgressRefusal.self) { try ClientHello.read(stream[...]) }
            return
        }
        for count in 0..<stream.count { #expect(Self.read(Array(stream.prefix(count))) == .success(.incomplete)) }
        guard case .hello(let read) = try ClientHello.read((stream + [9, 9])[...]) else {
            Issue.record("it is none")
            return
        }
        #expect(read.serverName?.text == "api.example.com")
        #expect(read.applicationProtocols == ["h2", "http/1.1"])
        #expect(read.streamBytes == stream.count)
        #expect(!read.hasEncryptedHello)
    }

    @Test func otherProtocolsAreToldApart() throws {
        for text in ["GET / HTTP/1.1\r\n", "SSH-2.0-x\r\n", "\u{16}x"] {
            #expect(Self.read(Array(text.utf8)) == .success(.notTLS))
        }
    }

    @Test func whatTwoServersCouldReadInTwoWaysIsRefused() {
        var two = HelloBytes()
        two.names = [(0, "a.example.com"), (0, "b.example.com")]
        var twice = HelloBytes("a.example.com")
        twice.extensions = [(0, [0, 0])]
        var otherType = HelloBytes()
        otherType.names = [(1, "a.example.com")]
        var trailing = HelloBytes("a.example.com")
        trailing.trailing = [0]
        var long = HelloBytes("a.example.com")
        long.extensions = [(21, [UInt8](repeating: 0, count: ClientHello.messageBytesMax))]
        long.recordBytes = 4096
        let dot = HelloBytes("a.example.com."), address = HelloBytes("127.0.0.1"), empty = HelloBytes("")
        for hello in [two, twice, otherType, trailing, long, dot, address, empty, HelloBytes("a b.com")] {
            guard case .failure = Self.read(hello.stream) else {
                Issue.record("read: \(hello.names) \(hello.extensions.map(\.type))")
                continue
            }
        }
        // A first message that is no ClientHello, an empty record, and another record within it.
        for bytes: [UInt8] in [
            [0x16, 3, 1, 0, 4, 2, 0, 0, 0], [0x16, 3, 1, 0, 0], [0x16, 3, 1, 0, 1, 1, 0x17, 3, 3, 0, 1],
        ] {
            guard case .failure = Self.read(bytes) else {
                Issue.record("read: \(bytes)")
                continue
            }
        }
    }

    @Test(arguments: [UInt16(0xFE0D), 0xFE0A, 0xFFCE])
    func anEncryptedOneIsSeen(type: UInt16) throws {
        var hello = HelloBytes("a.example.com")
        hello.extensions = [(type, [1, 2, 3])]
        guard case .hello(let read) = try ClientHello.read(hello.stream[...]) else {
            Issue.record("it is none")
            return
        }
        #expect(read.hasEncryptedHello)
        #expect(throws: EgressRefusal.self) { try ServerNameGate.check(read, against: try HostName("a.example.com")) }
    }
}

@Suite("the gate lets a client through for the name that was decided on")
struct ServerNameGateTests {
    private let name: HostName

    init() throws { name = try HostName("api.example.com") }

    private func rule(_ step: ServerNameGate.Step) -> String? {
        if case .refuse(let refusal) = step { return refusal.rule.rawValue }
        return nil
    }

    @Test func onlyTheSameNamePasses() {
        let stream = HelloBytes("api.example.com").stream
        var gate = ServerNameGate(name: name, requiresTLS: true)
        #expect(gate.judge(stream.dropLast()) == .hold)
        #expect(gate.judge(stream[...]) == .pass(stream.count))
        for other in ["evil.example.com", "example.com", "api.example.com.evil.example"] {
            var gate = ServerNameGate(name: name, requiresTLS: true)
            #expect(rule(gate.judge(HelloBytes(other).stream[...])) == "tls-name-other")
        }
        var nameless = ServerNameGate(name: name, requiresTLS: true)
        #expect(rule(nameless.judge(HelloBytes().stream[...])) == "tls-name-missing")
        var literal = ServerNameGate(name: nil, requiresTLS: true)
        #expect(rule(literal.judge(HelloBytes("api.example.com").stream[...])) == "tls-name-other")
    }

    @Test func whatIsNoTLSPassesWhereNoneIsNeeded() {
        var strict = ServerNameGate(name: name, requiresTLS: true)
        #expect(rule(strict.judge(Array("SSH-2.0-x\r\n".utf8)[...])) == "tls-not")
        var open = ServerNameGate(name: name, requiresTLS: false)
        #expect(open.judge(Array("SSH-2.0-x\r\n".utf8)[...]) == .open)
        // TLS is compared there, too.
        var tls = ServerNameGate(name: name, requiresTLS: false)
        #expect(rule(tls.judge(HelloBytes("evil.example").stream[...])) == "tls-name-other")
    }

    @Test(arguments: [false, true])
    func aServerThatAsksForAnotherHelloGetsItJudged(hasChange: Bool) throws {
        let change: [UInt8] = hasChange ? [0x14, 3, 3, 0, 1, 1] : []
        for (second, isAllowed) in [("api.example.com", true), ("evil.example", false)] {
            var gate = ServerNameGate(name: name, requiresTLS: true)
            _ = gate.judge(HelloBytes("api.example.com").stream[...])
            let answer = HelloBytes.answer(isRetry: true)
            for byte in answer { try [byte].withUnsafeBytes { try gate.hear($0) } }
            #expect(gate.judge([]) == .hold)
            let step = gate.judge((change + HelloBytes(second).stream)[...])
            #expect(isAllowed ? step == .open : rule(step) == "tls-name-other")
        }
        var gate = ServerNameGate(name: name, requiresTLS: true)
        _ = gate.judge(HelloBytes("api.example.com").stream[...])
        try HelloBytes.answer(isRetry: true).withUnsafeBytes { try gate.hear($0) }
        #expect(rule(gate.judge([0x17, 3, 3, 0, 1, 0][...])) != nil)
    }

    @Test("a warning before the answer is none", arguments: [1, 7, 1000])
    func warnings(_ pieceBytes: Int) throws {
        let warning: [UInt8] = [0x15, 3, 3, 0, 2, 1, 112]
        for isRetry in [true, false] {
            var gate = ServerNameGate(name: name, requiresTLS: true)
            _ = gate.judge(HelloBytes("api.example.com").stream[...])
            var rest = (warning + warning + HelloBytes.answer(isRetry: isRetry))[...]
            while !rest.isEmpty {
                try Array(rest.prefix(pieceBytes)).withUnsafeBytes { try gate.hear($0) }
                rest = rest.dropFirst(pieceBytes)
            }
            #expect(gate.isOpen == !isRetry)
            if isRetry { #expect(rule(gate.judge(HelloBytes("evil.example").stream[...])) == "tls-name-other") }
        }
        // After an alert that ends the handshake, nothing follows.
        var gate = ServerNameGate(name: name, requiresTLS: true)
        _ = gate.judge(HelloBytes("api.example.com").stream[...])
        try [0x15, 3, 3, 0, 2, 2, 40].withUnsafeBytes { try gate.hear($0) }
        #expect(gate.isOpen)
    }

    @Test func anOrdinaryAnswerOpensItAndAPieceOfOneDoesNot() throws {
        var gate = ServerNameGate(name: name, requiresTLS: true)
        _ = gate.judge(HelloBytes("api.example.com").stream[...])
        #expect(gate.judge(Array("anything".utf8)[...]) == .hold)
        try HelloBytes.answer(isRetry: false).withUnsafeBytes { try gate.hear($0) }
        #expect(gate.isOpen)
        var pieces = ServerNameGate(name: name, requiresTLS: true)
        _ = pieces.judge(HelloBytes("api.example.com").stream[...])
        let cut = [0x16, 3, 3, 0, 4, 2, 0, 0, 40] + [UInt8](repeating: 0x16, count: 60)
        #expect(throws: EgressRefusal.self) { try cut.withUnsafeBytes { try pieces.hear($0) } }
    }
}
