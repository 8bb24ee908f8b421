import NIOCore

/// Base 64 (RFC 4648), as fields and attackers write it.
enum Base64 {
    static let standard = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    static let urlSafe = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// Writes two pieces as one, padded; no copy of the bytes is made on the way.
    static func write(_ head: [UInt8], _ tail: UnsafeRawBufferPointer, to buffer: inout ByteBuffer) {
        let count = head.count + tail.count
        func byte(_ index: Int) -> UInt32 {
            if index < head.count { return UInt32(head[index]) }
            return index < count ? UInt32(tail[index - head.count]) : 0
        }
        for start in stride(from: 0, to: count, by: 3) {
            let bits = byte(start) << 16 | byte(start + 1) << 8 | byte(start + 2)
            let left = count - start
            for place in 0..<4 {
                let isPadding = place > left
                let character = standard[Int(bits >> UInt32(18 - 6 * place) & 0x3F)]
                buffer.writeInteger(isPadding ? UInt8(ascii: "=") : character)
            }
        }
    }

    /// Hands out what is certain to stand in any text in base 64 that holds the bytes, where so many bytes stand before
    /// them.
    static func core(
        _ bytes: UnsafeRawBufferPointer,
        after before: Int,
        _ alphabet: [UInt8],
        _ emit: (UInt8) -> Void
    ) {
        let first = (8 * before + 5) / 6
        let end = 8 * (before + bytes.count) / 6
        guard first < end else { return }
        for place in first..<end {
            var value = 0
            for bit in 6 * place..<6 * place + 6 {
                let byte = bytes[bit / 8 - before]
                value = value << 1 | Int(byte >> UInt8(7 - bit % 8) & 1)
            }
            emit(alphabet[value])
        }
    }

    /// The bytes of a text in either alphabet, with or without padding; nil for what is none.
    static func decoded(_ text: some Sequence<UInt8>) -> [UInt8]? {
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        var isPadded = false
        for character in text {
            if character == UInt8(ascii: "=") {
                isPadded = true
                continue
            }
            guard !isPadded, let value = value(character) else { return nil }
            bits = bits << 6 | UInt32(value)
            count += 1
            if count % 4 == 0 { bytes += [UInt8(bits >> 16 & 0xFF), UInt8(bits >> 8 & 0xFF), UInt8(bits & 0xFF)] }
        }
        switch count % 4 {
        case 1: return nil
        case 2: bytes.append(UInt8(bits >> 4 & 0xFF))
        case 3: bytes += [UInt8(bits >> 10 & 0xFF), UInt8(bits >> 2 & 0xFF)]
        default: break
        }
        return bytes
    }

    private static func value(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - 65
        case UInt8(ascii: "a")...UInt8(ascii: "z"): character - 71
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character + 4
        case UInt8(ascii: "+"), UInt8(ascii: "-"): 62
        case UInt8(ascii: "/"), UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
