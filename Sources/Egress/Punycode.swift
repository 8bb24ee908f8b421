/// Reads labels that stand for text beyond ASCII (RFC 3492, RFC 5890).
enum Punycode {
    private static let base: UInt32 = 36
    private static let labelBytesMax = 63

    /// True if a label is `xn--` and a code that decodes to text which is not all ASCII, and whose characters are not
    /// another spelling of others. Whether a registry would accept them is for IDNA's tables, which are not here.
    static func isALabel(_ label: some Collection<UInt8>) -> Bool {
        guard label.count <= labelBytesMax, let scalars = decode(Array(label.dropFirst(4))) else { return false }
        return scalars.contains { $0.value >= 0x80 } && scalars.allSatisfy(isOrdinary)
    }

    private static func isOrdinary(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.properties.changesWhenNFKCCaseFolded { return false }
        switch scalar.properties.generalCategory {
        case .control, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator, .spaceSeparator:
            return false
        default: return true
        }
    }

    /// The characters that a code stands for; nil where it is broken.
    private static func decode(_ code: [UInt8]) -> [Unicode.Scalar]? {
        let delimiter = code.lastIndex(of: UInt8(ascii: "-"))
        var output = code[..<(delimiter ?? 0)].map { Unicode.Scalar($0) }
        var index = delimiter.map { $0 + 1 } ?? 0
        guard index < code.count else { return nil }
        var number: UInt32 = 128
        var position: UInt32 = 0
        var bias: UInt32 = 72
        while index < code.count {
            guard let delta = integer(code, &index, bias) else { return nil }
            let count = UInt32(output.count + 1)
            let (sum, hasOverflowed) = position.addingReportingOverflow(delta)
            guard !hasOverflowed else { return nil }
            bias = adapted(delta, count: count, isFirst: output.count == (delimiter ?? 0) && position == 0)
            let (next, isTooLarge) = number.addingReportingOverflow(sum / count)
            guard !isTooLarge, let scalar = Unicode.Scalar(next) else { return nil }
            number = next
            position = sum % count
            output.insert(scalar, at: Int(position))
            position += 1
        }
        return output
    }

    /// One generalised variable-length integer.
    private static func integer(_ code: [UInt8], _ index: inout Int, _ bias: UInt32) -> UInt32? {
        var value: UInt32 = 0
        var weight: UInt32 = 1
        var k = base
        while true {
            guard index < code.count, let digit = digit(code[index]) else { return nil }
            index += 1
            let (product, isTooLarge) = digit.multipliedReportingOverflow(by: weight)
            let (sum, hasOverflowed) = value.addingReportingOverflow(product)
            guard !isTooLarge, !hasOverflowed else { return nil }
            value = sum
            let threshold = k <= bias ? 1 : min(k - bias, 26)
            if digit < threshold { return value }
            let (heavier, isTooHeavy) = weight.multipliedReportingOverflow(by: base - threshold)
            guard !isTooHeavy else { return nil }
            weight = heavier
            k += base
        }
    }

    private static func digit(_ byte: UInt8) -> UInt32? {
        if ASCII.isDigit(byte) { return UInt32(byte - UInt8(ascii: "0")) + 26 }
        return ASCII.isLetter(byte) ? UInt32(ASCII.lower(byte) - UInt8(ascii: "a")) : nil
    }

    private static func adapted(_ delta: UInt32, count: UInt32, isFirst: Bool) -> UInt32 {
        var delta = isFirst ? delta / 700 : delta / 2
        delta += delta / count
        var k: UInt32 = 0
        while delta > 455 {
            delta /= 35
            k += base
        }
        return k + 36 * delta / (delta + 38)
    }
}
