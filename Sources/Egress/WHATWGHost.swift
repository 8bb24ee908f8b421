import Domain

/// A host as a browser reads it: the host parser of the WHATWG URL standard for special schemes, on ASCII.
///
/// It decides nothing. It is here so that what others would make of a spelling is known before one is refused.
package enum WHATWGHost: Hashable, Sendable, CustomStringConvertible {
    /// Lower case, percent-decoded; not yet a name that can be looked up, and its `xn--` labels are not looked at.
    case domain(String)
    case v4(IPv4Address)
    case v6(IPv6Address)

    /// Longer hosts are refused before they are read: a name has at most 253 bytes, and escapes treble that.
    package static let bytesMax = 1024

    package init(_ bytes: some Collection<UInt8>) throws(EgressRefusal) {
        guard !bytes.isEmpty else { throw Self.refuse(bytes, "there is no host") }
        guard bytes.count <= Self.bytesMax else {
            throw Self.refuse(bytes, "the host has \(bytes.count) bytes, and at most \(Self.bytesMax) are read")
        }
        let raw = Array(bytes)
        if raw.first == UInt8(ascii: "[") {
            guard raw.count > 2, raw.last == UInt8(ascii: "]"), let v6 = IPv6Address(raw[1..<(raw.count - 1)]) else {
                throw Self.refuse(raw, "what stands in brackets is no IPv6 address")
            }
            self = .v6(v6)
            return
        }
        let domain = Self.decoded(raw).map(ASCII.lower)
        guard domain.allSatisfy({ $0 < 0x80 }) else {
            throw EgressRefusal(
                RuleID("host-not-ascii"),
                "the host \(EgressRefusal.quoted(raw)) is not ASCII",
                remedy: "Write an internationalised name in its xn-- form."
            )
        }
        guard !domain.contains(where: Self.isForbidden) else {
            throw Self.refuse(raw, "a host cannot hold one of these characters")
        }
        if Self.endsInNumber(domain) {
            guard let v4 = Self.numeric(domain) else {
                throw EgressRefusal(
                    RuleID("host-numeric"),
                    "the host \(EgressRefusal.quoted(raw)) ends in a number and is no IPv4 address"
                )
            }
            self = .v4(v4)
            return
        }
        self = .domain(String(decoding: domain, as: UTF8.self))
    }

    package var description: String {
        switch self {
        case .domain(let text): text
        case .v4(let address): address.description
        case .v6(let address): "[\(address)]"
        }
    }

    private static func refuse(_ bytes: some Collection<UInt8>, _ problem: String) -> EgressRefusal {
        EgressRefusal(
            RuleID("host-syntax"),
            "\(EgressRefusal.quoted(bytes)) is no host: \(problem)",
            remedy: "Write a name such as api.example.com."
        )
    }

    private static func decoded(_ bytes: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var index = 0
        while index < bytes.count {
            if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count, let high = ASCII.hex(bytes[index + 1]),
                let low = ASCII.hex(bytes[index + 2])
            {
                result.append(high << 4 | low)
                index += 3
            } else {
                result.append(bytes[index])
                index += 1
            }
        }
        return result
    }

    /// The standard's forbidden domain code points.
    private static func isForbidden(_ byte: UInt8) -> Bool {
        byte <= 0x20 || byte == 0x7F || Array("#/:<>?@[\\]^|%".utf8).contains(byte)
    }

    private static func endsInNumber(_ domain: [UInt8]) -> Bool {
        var parts = domain.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        if parts.last?.isEmpty == true {
            if parts.count == 1 { return false }
            parts.removeLast()
        }
        guard let last = parts.last, !last.isEmpty else { return false }
        return last.allSatisfy(ASCII.isDigit) || number(last) != nil
    }

    /// One to four parts in decimal, octal or hexadecimal; the last one fills what is left.
    private static func numeric(_ domain: [UInt8]) -> IPv4Address? {
        var parts = domain.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        if parts.last?.isEmpty == true, parts.count > 1 { parts.removeLast() }
        guard (1...4).contains(parts.count) else { return nil }
        var numbers: [UInt64] = []
        for part in parts {
            guard let number = number(part) else { return nil }
            numbers.append(number)
        }
        let last = numbers.removeLast()
        guard numbers.allSatisfy({ $0 <= 255 }), last < 1 << UInt64(8 * (4 - numbers.count)) else { return nil }
        var value = last
        for (index, number) in numbers.enumerated() { value += number << UInt64(8 * (3 - index)) }
        return IPv4Address(value: UInt32(value))
    }

    /// A part's value, held at 2^40 where it is larger; nil for what is no number.
    private static func number(_ part: some Collection<UInt8>) -> UInt64? {
        guard !part.isEmpty else { return nil }
        var digits = Array(part)
        var radix: UInt64 = 10
        if digits.count >= 2, digits.starts(with: "0x".utf8) {
            digits.removeFirst(2)
            radix = 16
        } else if digits.count >= 2, digits[0] == UInt8(ascii: "0") {
            digits.removeFirst()
            radix = 8
        }
        var value: UInt64 = 0
        for byte in digits {
            guard let digit = ASCII.hex(byte), UInt64(digit) < radix else { return nil }
            value = min(value * radix + UInt64(digit), 1 << 40)
        }
        return value
    }
}
