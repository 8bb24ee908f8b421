import Domain
package import Egress

/// Holds back what a client says first until it is known to be meant for the name that was decided on.
///
/// A server may answer a ClientHello with the wish for another one (HelloRetryRequest), and many then go by the name in
/// the second. So the gate stays until the server's answer is known, and judges a second ClientHello like the first.
package struct ServerNameGate: Sendable {
    /// What becomes of the bytes that are held.
    package enum Step: Sendable, Equatable {
        /// They stay; more are needed.
        case hold
        /// So many of them go on, and the gate stays.
        case pass(Int)
        /// All of them go on, and all that come.
        case open
        case refuse(EgressRefusal)
    }

    private enum Phase { case firstHello, answer, secondHello, open }

    /// Where the connection goes; nil for a literal address, which no server name can say.
    private let name: HostName?
    /// Refuses what is no TLS.
    private let requiresTLS: Bool
    private var phase = Phase.firstHello
    private var answer: [UInt8] = []

    package init(name: HostName?, requiresTLS: Bool) {
        self.name = name
        self.requiresTLS = requiresTLS
    }

    /// One that lets everything through.
    static let open: ServerNameGate = {
        var gate = ServerNameGate(name: nil, requiresTLS: false)
        gate.phase = .open
        return gate
    }()

    package var isOpen: Bool { phase == .open }
    package var wantsAnswer: Bool { phase == .answer }

    /// True from the first byte of a ClientHello until it is whole: the client owes the rest, and soon.
    package func isOwed(_ held: ArraySlice<UInt8>) -> Bool {
        switch phase {
        case .firstHello: requiresTLS || !held.isEmpty
        case .secondHello: true
        case .answer, .open: false
        }
    }

    /// Hears that the client will say no more. True if the connection may go on: it said nothing, and owes nothing.
    package mutating func end(held: ArraySlice<UInt8>) -> Bool {
        guard phase == .firstHello, !requiresTLS, held.isEmpty else { return false }
        phase = .open
        return true
    }

    /// Judges what the client said and was not passed on yet.
    package mutating func judge(_ held: ArraySlice<UInt8>) -> Step {
        do throws(EgressRefusal) {
            switch phase {
            case .open: return .open
            case .answer: return .hold
            case .firstHello: return try judgeFirst(held)
            case .secondHello: return try judgeSecond(held)
            }
        } catch {
            return .refuse(error)
        }
    }

    private mutating func judgeFirst(_ held: ArraySlice<UInt8>) throws(EgressRefusal) -> Step {
        switch try ClientHello.read(held) {
        case .incomplete: return .hold
        case .notTLS:
            guard !requiresTLS else { throw Self.notTLS }
            phase = .open
            return .open
        case .hello(let hello):
            try Self.check(hello, against: name)
            phase = .answer
            return .pass(hello.streamBytes)
        }
    }

    /// A second ClientHello may follow a record that changes nothing (RFC 8446, appendix D.4).
    private mutating func judgeSecond(_ held: ArraySlice<UInt8>) throws(EgressRefusal) -> Step {
        guard let first = held.first else { return .hold }
        var skipped = 0
        if first == ClientHello.changeCipherSpecRecord {
            skipped = 6
            guard held.count > skipped else { return .hold }
        }
        switch try ClientHello.read(held.dropFirst(skipped)) {
        case .incomplete: return .hold
        case .notTLS: throw ClientHello.malformed("the server asked for a second one, and something else came")
        case .hello(let hello):
            try Self.check(hello, against: name)
            phase = .open
            return .open
        }
    }

    /// Looks at what the server says while its answer is awaited.
    ///
    /// - Throws: where it cannot be told whether it is a HelloRetryRequest.
    package mutating func hear(_ bytes: UnsafeRawBufferPointer) throws(EgressRefusal) {
        guard phase == .answer else { return }
        answer += bytes.prefix(Self.answerBytes - answer.count)
        guard let first = answer.first else { return }
        guard first == ClientHello.handshakeRecord else { return finishAnswer(.open) }
        guard answer.count == Self.answerBytes else { return }
        guard Int(answer[3]) << 8 | Int(answer[4]) >= Self.answerBytes - ClientHello.recordHeaderBytes else {
            throw ClientHello.malformed("the server cuts its answer to it into pieces")
        }
        let isRetry = answer[5] == 2 && answer.suffix(32).elementsEqual(Self.retryRandom)
        finishAnswer(isRetry ? .secondHello : .open)
    }

    private mutating func finishAnswer(_ next: Phase) {
        phase = next
        answer = []
    }

    /// Compares a ClientHello with where its connection goes.
    package static func check(_ hello: ClientHello, against name: HostName?) throws(EgressRefusal) {
        guard !hello.hasEncryptedHello else {
            throw EgressRefusal(
                RuleID("tls-encrypted-hello"),
                "the ClientHello holds an encrypted one, in which another name may stand",
                remedy: terminating
            )
        }
        guard let said = hello.serverName else {
            throw EgressRefusal(RuleID("tls-name-missing"), "the ClientHello names no server", remedy: terminating)
        }
        try checkName(said, against: name)
    }

    /// Compares the name alone.
    package static func checkName(_ said: HostName, against name: HostName?) throws(EgressRefusal) {
        guard said == name else {
            throw EgressRefusal(
                RuleID("tls-name-other"),
                "the ClientHello names \(said), and the connection goes to \(name?.text ?? "an address")",
                remedy: "Connect to the server that the ClientHello names."
            )
        }
    }

    /// Bytes of a server's first record up to the end of its random value.
    private static let answerBytes = 5 + 4 + 2 + 32

    /// SHA-256 of "HelloRetryRequest", which stands in place of a random value (RFC 8446, section 4.1.3).
    private static let retryRandom: [UInt8] = [
        0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91,
        0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
    ]

    private static let terminating =
        "An operator lists methods for the host, as in \"GET,POST https://HOST/\": its requests are then read here."

    private static let notTLS = EgressRefusal(
        RuleID("tls-not"),
        "what the client says is no TLS, and only TLS may pass here",
        remedy: "Speak TLS to this port."
    )
}
