import Domain
package import Egress

/// A name as it travels in a message (RFC 1035, section 3.1): labels, each behind its length, and a zero.
package struct DNSName: Hashable, Sendable, CustomStringConvertible {
    /// Without compression, the closing zero included.
    package let wire: [UInt8]

    package static let wireBytesMax = 255
    static let labelBytesMax: UInt8 = 63

    package static let root = DNSName(wire: [0])
    package static let localhost = DNSName(labels: [Array("localhost".utf8)])

    /// - Parameter wire: what ``DNSReader`` read, or what was made of a host's name.
    init(wire: [UInt8]) { self.wire = wire }

    package init(_ name: HostName) {
        self.init(labels: name.text.utf8.split(separator: UInt8(ascii: ".")).map(Array.init))
    }

    /// Labels of 1 to 63 bytes, 253 bytes together with the dots between them.
    private init(labels: [[UInt8]]) {
        wire = labels.flatMap { [UInt8($0.count)] + $0 } + [0]
        precondition(wire.count <= Self.wireBytesMax, "a host's name fits into a message")
    }

    /// The same name in lower case. A length is at most 63 and so no letter: it stays.
    package var folded: DNSName { DNSName(wire: wire.map(Self.lower)) }

    /// Names are compared without regard to case (RFC 4343).
    package func isSame(as other: DNSName) -> Bool {
        wire.count == other.wire.count && wire.elementsEqual(other.wire) { Self.lower($0) == Self.lower($1) }
    }

    package var labels: [ArraySlice<UInt8>] {
        var labels: [ArraySlice<UInt8>] = []
        var position = 0
        while wire[position] != 0 {
            let end = position + 1 + Int(wire[position])
            labels.append(wire[position + 1..<end])
            position = end
        }
        return labels
    }

    /// The labels with dots between them; nil where a label holds what no host's name does, above all a dot, which
    /// would make another name of it, and for the root.
    package var host: [UInt8]? {
        let labels = labels
        guard !labels.isEmpty, labels.allSatisfy({ $0.allSatisfy(Self.isHostByte) }) else { return nil }
        return Array(labels.joined(separator: [UInt8(ascii: ".")]))
    }

    /// For people: printable, a dot within a label escaped.
    package var description: String {
        let labels = labels.map { label in
            label.map { $0 == UInt8(ascii: ".") ? "\\." : Printable.text(CollectionOfOne($0)) }.joined()
        }
        return labels.isEmpty ? "." : labels.joined(separator: ".")
    }

    private static func lower(_ byte: UInt8) -> UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) ? byte | 0x20 : byte
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch lower(byte) {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "-"), UInt8(ascii: "_"): true
        default: false
        }
    }
}
