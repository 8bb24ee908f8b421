/// An IPv6 address, without a zone: a zone names an interface, and no destination outside needs one.
package struct IPv6Address: Hashable, Sendable, CustomStringConvertible {
    /// The upper and the lower 64 bits.
    package let high: UInt64
    package let low: UInt64

    package init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Reads the text forms of RFC 4291, section 2.2, with a dotted-decimal IPv4 address as the last two groups where
    /// one stands there.
    package init?(_ bytes: some Collection<UInt8>) {
        guard bytes.count <= Self.textBytesMax else { return nil }
        let bytes = Array(bytes)
        let halves = Self.halves(bytes)
        guard (1...2).contains(halves.count) else { return nil }
        var groups: [[UInt16]] = []
        for (index, half) in halves.enumerated() {
            guard let read = Self.groups(half, mayEndInIPv4: index == halves.count - 1) else { return nil }
            groups.append(read)
        }
        let count = groups.reduce(0) { $0 + $1.count }
        guard halves.count == 1 ? count == 8 : count < 8 else { return nil }
        let filled = groups[0] + [UInt16](repeating: 0, count: 8 - count) + (groups.count == 2 ? groups[1] : [])
        func word(_ part: ArraySlice<UInt16>) -> UInt64 { part.reduce(0) { $0 << 16 | UInt64($1) } }
        self.init(high: word(filled[..<4]), low: word(filled[4...]))
    }

    package init?(_ text: String) { self.init(Array(text.utf8)) }

    private static let textBytesMax = 45

    /// What stands before and behind the one `::`; three parts where there are two of them.
    private static func halves(_ bytes: [UInt8]) -> [[UInt8]] {
        var halves: [[UInt8]] = [[]]
        var index = 0
        while index < bytes.count {
            if bytes[index...].starts(with: [0x3A, 0x3A]) {
                halves.append([])
                index += 2
            } else {
                halves[halves.count - 1].append(bytes[index])
                index += 1
            }
        }
        return halves
    }

    private static func groups(_ half: [UInt8], mayEndInIPv4: Bool) -> [UInt16]? {
        if half.isEmpty { return [] }
        let parts = half.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        var groups: [UInt16] = []
        for (index, part) in parts.enumerated() {
            if part.contains(UInt8(ascii: ".")) {
                guard mayEndInIPv4, index == parts.count - 1, let v4 = IPv4Address(part) else { return nil }
                groups += [UInt16(v4.value >> 16), UInt16(v4.value & 0xFFFF)]
                continue
            }
            guard (1...4).contains(part.count) else { return nil }
            var group: UInt16 = 0
            for byte in part {
                guard let digit = ASCII.hex(byte) else { return nil }
                group = group << 4 | UInt16(digit)
            }
            groups.append(group)
        }
        return groups
    }

    /// The eight groups of 16 bits.
    var groups: [UInt16] {
        [high, low].flatMap { half in [48, 32, 16, 0].map { (shift: UInt64) in UInt16(half >> shift & 0xFFFF) } }
    }

    /// The bytes from an offset on, as an IPv4 address.
    func embedded(atByte offset: Int) -> IPv4Address {
        var value: UInt32 = 0
        for index in offset..<offset + 4 {
            let half = index < 8 ? high : low
            value = value << 8 | UInt32(half >> UInt64((7 - index % 8) * 8) & 0xFF)
        }
        return IPv4Address(value: value)
    }

    /// RFC 5952: lower case, no leading zeros, the first longest run of two or more zero groups as `::`.
    package var description: String {
        let groups = groups
        var best = 0..<0
        var start = 0
        while start < 8 {
            var end = start
            while end < 8, groups[end] == 0 { end += 1 }
            if end - start > max(best.count, 1) { best = start..<end }
            start = max(end, start + 1)
        }
        func text(_ part: ArraySlice<UInt16>) -> String { part.map { String($0, radix: 16) }.joined(separator: ":") }
        if best.isEmpty { return text(groups[...]) }
        return text(groups[..<best.lowerBound]) + "::" + text(groups[best.upperBound...])
    }
}
