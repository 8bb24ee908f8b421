import Domain
import NIOCore

extension Base64 {
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
}
