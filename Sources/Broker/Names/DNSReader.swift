/// Why a message cannot be read.
package enum DNSFault: Error, Sendable, Equatable {
    /// It ends too early, or something follows its end.
    case length
    /// A label of an unknown kind, or a name that is too long.
    case name
    /// A pointer that leads not backwards.
    case pointer
    /// What the header says does not fit what is asked or answered.
    case header
    /// A record whose data has not the shape of its type, or more records than are read.
    case record
}

/// Reads a message from front to back and never beyond it.
package struct DNSReader {
    private let bytes: [UInt8]
    package private(set) var position = 0

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    package var isAtEnd: Bool { position == bytes.count }

    package mutating func byte() throws(DNSFault) -> UInt8 {
        guard position < bytes.count else { throw .length }
        defer { position += 1 }
        return bytes[position]
    }

    package mutating func number16() throws(DNSFault) -> UInt16 { UInt16(try byte()) << 8 | UInt16(try byte()) }

    package mutating func number32() throws(DNSFault) -> UInt32 {
        UInt32(try number16()) << 16 | UInt32(try number16())
    }

    package mutating func data(_ count: Int) throws(DNSFault) -> ArraySlice<UInt8> {
        guard count <= bytes.count - position else { throw .length }
        defer { position += count }
        return bytes[position..<position + count]
    }

    /// Reads a name. Every pointer leads to before the labels that end in it, so reading comes to an end.
    package mutating func name() throws(DNSFault) -> DNSName {
        var wire: [UInt8] = []
        var start = position
        var at = position
        var isCompressed = false
        while true {
            guard at < bytes.count else { throw .length }
            let length = bytes[at]
            switch length {
            case 0:
                if !isCompressed { position = at + 1 }
                return DNSName(wire: wire + [0])
            case 1...DNSName.labelBytesMax:
                let end = at + 1 + Int(length)
                guard end <= bytes.count else { throw .length }
                wire += bytes[at..<end]
                guard wire.count < DNSName.wireBytesMax else { throw .name }
                at = end
            case 0xC0...:
                guard at + 1 < bytes.count else { throw .length }
                let target = Int(length & 0x3F) << 8 | Int(bytes[at + 1])
                guard target >= DNSHeader.bytes, target < start else { throw .pointer }
                if !isCompressed { position = at + 2 }
                isCompressed = true
                start = target
                at = target
            default: throw .name
            }
        }
    }
}

/// Writes a message.
struct DNSWriter {
    private(set) var bytes: [UInt8] = []

    mutating func byte(_ value: UInt8) { bytes.append(value) }

    mutating func number16(_ value: UInt16) { bytes += [UInt8(value >> 8), UInt8(value & 0xFF)] }

    mutating func number32(_ value: UInt32) {
        number16(UInt16(value >> 16))
        number16(UInt16(value & 0xFFFF))
    }

    mutating func data(_ data: some Sequence<UInt8>) { bytes += data }

    mutating func name(_ name: DNSName) { bytes += name.wire }
}
