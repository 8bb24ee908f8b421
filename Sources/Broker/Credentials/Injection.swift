import BrokerLink
import Domain
import Egress
import Glibc
import NIOCore

/// Which secret a request is to carry, and in which field.
struct Injection: Equatable {
    let secret: HeldSecret
    let slot: HeaderSlot
    /// Names of fields in which a client could have put credentials of its own, as servers read them.
    let stripped: Set<String>

    /// Takes out of a request what the client put where the secret belongs, and asks for an answer that can be read.
    func prepare(_ request: inout RequestHead) {
        request.fields.removeSpellings(of: stripped.union([slot.field]))
        AnswerReading.ask(&request)
    }

    /// What a client put behind the body counts as a field of the head for some servers.
    func cleansed(_ trailers: HTTPFields) -> HTTPFields {
        var trailers = trailers
        trailers.removeSpellings(of: stripped.union([slot.field]))
        return trailers
    }
}

/// A field with a secret in it, on its way to a server.
struct InjectedField {
    let slot: HeaderSlot
    let value: SecretValue

    /// For HTTP/2, where a head is made of texts; they are not wiped.
    var text: String {
        var buffer = ByteBuffer()
        writeValue(to: &buffer)
        defer { buffer.wipe() }
        return String(buffer: buffer)
    }

    /// Bytes of the whole line.
    var count: Int { slot.field.utf8.count + 4 + valueCount }

    /// Bytes of the field's value.
    private var valueCount: Int {
        switch slot.scheme {
        case .plain: value.count
        case .bearer: value.count + 7
        case .basic(let user): (user.utf8.count + 1 + value.count + 2) / 3 * 4 + 6
        }
    }

    /// Writes the field with its line's end.
    func write(to buffer: inout ByteBuffer) {
        // A buffer that grows leaves a copy behind.
        buffer.reserveCapacity(minimumWritableBytes: count)
        buffer.writeString(slot.field)
        buffer.writeStaticString(": ")
        writeValue(to: &buffer)
        buffer.writeStaticString("\r\n")
    }

    private func writeValue(to buffer: inout ByteBuffer) {
        buffer.reserveCapacity(minimumWritableBytes: valueCount)
        switch slot.scheme {
        case .plain: value.withBytes { _ = buffer.writeBytes($0) }
        case .bearer:
            buffer.writeStaticString("Bearer ")
            value.withBytes { _ = buffer.writeBytes($0) }
        case .basic(let user):
            buffer.writeStaticString("Basic ")
            value.withBytes { Base64.write([UInt8](user.utf8) + [UInt8(ascii: ":")], $0, to: &buffer) }
        }
    }
}

extension HTTPFields {
    /// Takes out fields by name, in every spelling that some server reads as that name.
    mutating func removeSpellings(of keys: Set<String>) {
        self = HTTPFields(all.filter { !keys.contains(Self.folded($0.key)) })
    }

    /// A name as servers read it that know only letters, digits and one mark between them.
    private static func folded(_ key: String) -> String {
        guard !key.utf8.allSatisfy({ Spelling.isAlphanumeric($0) || $0 == UInt8(ascii: "-") }) else { return key }
        return String(decoding: key.utf8.map { Spelling.isAlphanumeric($0) ? $0 : UInt8(ascii: "-") }, as: UTF8.self)
    }
}

extension ByteBuffer {
    /// Overwrites what is to be read of it, and nothing else of the same storage: nobody else reads that.
    func wipeReadable() {
        withUnsafeReadableBytes { bytes in
            if let start = bytes.baseAddress { explicit_bzero(UnsafeMutableRawPointer(mutating: start), bytes.count) }
        }
    }

    /// Overwrites everything that it has stored, whoever else holds the same storage: it was written, and nobody reads
    /// it any more.
    func wipe() {
        withVeryUnsafeBytes { bytes in
            if let start = bytes.baseAddress { explicit_bzero(UnsafeMutableRawPointer(mutating: start), bytes.count) }
        }
    }
}
