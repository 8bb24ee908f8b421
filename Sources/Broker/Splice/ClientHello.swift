import Domain
package import Egress

/// The first message of TLS, as far as it says where a connection goes.
///
/// The reader is strict: what a server could read in another way is refused. The bytes themselves are passed on
/// unchanged, so that nobody notices it.
package struct ClientHello: Sendable, Equatable {
    /// The one server name; nil where there is none.
    package var serverName: HostName?
    /// ALPN, in the client's order, printable.
    package var applicationProtocols: [String] = []
    /// True if it holds an encrypted ClientHello, or what looks like one: then another name may stand inside.
    package var hasEncryptedHello = false
    /// Bytes of the stream that it takes, the headers of its records with it.
    package var streamBytes: Int

    /// The handshake message; those of today have less than 2 KiB.
    package static let messageBytesMax = 16 << 10
    /// A client writes one record, or a few where something on the way dislikes long ones.
    package static let recordsMax = 64
    /// Of a stream, what can be needed to read one.
    package static let streamBytesMax = messageBytesMax + 4 + recordsMax * recordHeaderBytes

    static let recordHeaderBytes = 5
    static let handshakeRecord: UInt8 = 0x16
    static let changeCipherSpecRecord: UInt8 = 0x14

    /// What the beginning of a stream is.
    package enum Reading: Sendable, Equatable {
        /// It may become one.
        case incomplete
        /// Another protocol.
        case notTLS
        case hello(ClientHello)
    }

    /// Reads the beginning of a stream.
    ///
    /// - Throws: for TLS whose first message is none, or not understood.
    package static func read(_ stream: ArraySlice<UInt8>) throws(EgressRefusal) -> Reading {
        guard let first = stream.first else { return .incomplete }
        guard first == handshakeRecord else { return .notTLS }
        guard stream.count > 1 else { return .incomplete }
        guard stream[stream.startIndex + 1] == 3 else { return .notTLS }
        var message: [UInt8] = []
        var rest = stream
        for _ in 0..<recordsMax {
            guard let record = try nextRecord(&rest) else { return .incomplete }
            message += record
            guard message.count >= 4 else { continue }
            guard message[0] == 1 else { throw malformed("its first message is no ClientHello") }
            let length = Int(message[1]) << 16 | Int(message[2]) << 8 | Int(message[3])
            guard length <= messageBytesMax else {
                throw malformed("it has \(length) bytes, and at most \(messageBytesMax) are read")
            }
            if message.count < 4 + length { continue }
            guard message.count == 4 + length else { throw malformed("something follows it in its record") }
            var hello = ClientHello(streamBytes: rest.startIndex - stream.startIndex)
            try hello.readBody(message[4...])
            return .hello(hello)
        }
        throw malformed("it is cut into more than \(recordsMax) records")
    }

    /// Takes a whole record off a stream; nil where there is none yet.
    private static func nextRecord(_ stream: inout ArraySlice<UInt8>) throws(EgressRefusal) -> ArraySlice<UInt8>? {
        let start = stream.startIndex
        guard stream.count >= recordHeaderBytes else { return nil }
        guard stream[start] == handshakeRecord, stream[start + 1] == 3 else {
            throw malformed("another record stands within it")
        }
        let length = Int(stream[start + 3]) << 8 | Int(stream[start + 4])
        guard (1...messageBytesMax).contains(length) else { throw malformed("a record has \(length) bytes") }
        guard stream.count >= recordHeaderBytes + length else { return nil }
        let end = start + recordHeaderBytes + length
        defer { stream = stream[end...] }
        return stream[(start + recordHeaderBytes)..<end]
    }

    private mutating func readBody(_ body: ArraySlice<UInt8>) throws(EgressRefusal) {
        var reader = HelloCursor(body)
        guard let version = reader.take(2), version.first == 3, reader.take(32) != nil,
            let session = reader.vector(lengthBytes: 1), session.count <= 32,
            let ciphers = reader.vector(lengthBytes: 2), !ciphers.isEmpty, ciphers.count % 2 == 0,
            let compressions = reader.vector(lengthBytes: 1), !compressions.isEmpty
        else { throw Self.malformed("its fields are cut short") }
        if reader.isAtEnd { return }
        guard let extensions = reader.vector(lengthBytes: 2), reader.isAtEnd else {
            throw Self.malformed("its extensions do not end where it ends")
        }
        var list = HelloCursor(extensions)
        var seen: Set<UInt16> = []
        while !list.isAtEnd {
            guard let type = list.number(), let value = list.vector(lengthBytes: 2) else {
                throw Self.malformed("an extension is cut short")
            }
            guard seen.insert(type).inserted else { throw Self.malformed("the extension \(type) stands in it twice") }
            switch type {
            case 0: serverName = try Self.name(value)
            case 16: applicationProtocols = try Self.protocols(value)
            case 0xFE08...0xFE0D, 0xFFCE: hasEncryptedHello = true
            default: break
            }
        }
    }

    /// The server_name extension (RFC 6066, section 3): one name, of the one type that there is.
    private static func name(_ value: ArraySlice<UInt8>) throws(EgressRefusal) -> HostName {
        var outer = HelloCursor(value)
        guard let names = outer.vector(lengthBytes: 2), outer.isAtEnd else {
            throw malformed("its server name is cut short")
        }
        var list = HelloCursor(names)
        guard let type = list.take(1), type.first == 0, let name = list.vector(lengthBytes: 2) else {
            throw malformed("its server name is cut short or of an unknown type")
        }
        guard list.isAtEnd else { throw malformed("it has more than one server name") }
        guard name.last != UInt8(ascii: ".") else { throw malformed("its server name ends in a dot") }
        guard case .name(let read) = try Host(name) else { throw malformed("its server name is an address") }
        return read
    }

    private static func protocols(_ value: ArraySlice<UInt8>) throws(EgressRefusal) -> [String] {
        var outer = HelloCursor(value)
        guard let names = outer.vector(lengthBytes: 2), outer.isAtEnd, !names.isEmpty else {
            throw malformed("its application protocols are cut short")
        }
        var list = HelloCursor(names)
        var protocols: [String] = []
        while !list.isAtEnd {
            guard let name = list.vector(lengthBytes: 1), !name.isEmpty else {
                throw malformed("an application protocol is cut short")
            }
            protocols.append(Printable.text(name))
        }
        return protocols
    }

    static func malformed(_ problem: String) -> EgressRefusal {
        EgressRefusal(
            RuleID("tls-hello"),
            "the ClientHello cannot be judged: \(problem)",
            remedy: "Send an ordinary ClientHello with the server's name."
        )
    }
}

/// Takes fields off the front of a message, each with its length checked.
private struct HelloCursor {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: ArraySlice<UInt8>) { rest = bytes }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard rest.count >= count else { return nil }
        defer { rest = rest.dropFirst(count) }
        return rest.prefix(count)
    }

    mutating func number() -> UInt16? { take(2).map { $0.reduce(0) { $0 << 8 | UInt16($1) } } }

    mutating func vector(lengthBytes: Int) -> ArraySlice<UInt8>? {
        guard let length = take(lengthBytes) else { return nil }
        return take(length.reduce(0) { $0 << 8 | Int($1) })
    }
}
