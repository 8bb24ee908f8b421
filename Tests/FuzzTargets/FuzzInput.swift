/// Takes an input apart into numbers, choices and pieces, for targets that build something from it. At its end it gives
/// zeros and nothing.
struct FuzzInput {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    var isAtEnd: Bool { position >= bytes.count }

    mutating func byte() -> UInt8 {
        guard position < bytes.count else { return 0 }
        defer { position += 1 }
        return bytes[position]
    }

    mutating func number16() -> Int { Int(byte()) << 8 | Int(byte()) }

    /// A number from 0 up to the limit, without it.
    mutating func number(below limit: Int) -> Int { limit <= 0 ? 0 : number16() % limit }

    mutating func pick<Element>(_ list: [Element]) -> Element { list[Int(byte()) % list.count] }

    /// Bytes behind their number.
    mutating func piece(atMost limit: Int = 255) -> [UInt8] {
        let count = min(Int(byte()), limit, bytes.count - position)
        defer { position += count }
        return Array(bytes[position..<position + count])
    }

    mutating func rest() -> [UInt8] {
        defer { position = bytes.count }
        return Array(bytes[position...])
    }
}
