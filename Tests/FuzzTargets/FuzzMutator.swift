/// Changes inputs at random, without knowing what the reader did with them. The same seed gives the same inputs.
package struct FuzzMutator {
    private var random: SeededRandom
    private let pool: [[UInt8]]
    private let bytesMax: Int

    /// - Parameter pool: what to start from; the pieces of one are put into another.
    package init(seed: UInt64, pool: [[UInt8]], bytesMax: Int) {
        random = SeededRandom(seed: seed)
        self.pool = pool.isEmpty ? [[]] : pool
        self.bytesMax = bytesMax
    }

    /// The next input: one of the pool with a few changes.
    package mutating func next() -> [UInt8] {
        var bytes = pool.randomElement(using: &random) ?? []
        for _ in 0..<Int.random(in: 1...6, using: &random) { change(&bytes) }
        return Array(bytes.prefix(bytesMax))
    }

    private mutating func change(_ bytes: inout [UInt8]) {
        let place = Int.random(in: 0...bytes.count, using: &random)
        let end = min(bytes.count, place + Int.random(in: 1...16, using: &random))
        switch Int.random(in: 0..<9, using: &random) {
        case 0 where place < bytes.count: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1 where place < bytes.count: bytes[place] = .random(in: .min ... .max, using: &random)
        case 2: bytes.insert(contentsOf: noise(), at: place)
        case 3: bytes.removeSubrange(place..<end)
        case 4: bytes.insert(contentsOf: bytes[place..<end], at: place)
        case 5: bytes.removeSubrange(place...)
        case 6:
            let other = pool.randomElement(using: &random) ?? []
            let start = Int.random(in: 0...other.count, using: &random)
            let count = Int.random(in: 0...64, using: &random)
            bytes.replaceSubrange(place..<end, with: other[start...].prefix(count))
        case 7 where end < bytes.count: bytes.swapAt(place, end)
        default:
            let number = Self.numbers.randomElement(using: &random) ?? 0
            let width = [1, 2, 4, 8].randomElement(using: &random) ?? 4
            let written = withUnsafeBytes(of: number.littleEndian) { Array($0.prefix(width)) }
            let start = width == 1 ? place : place / 4 * 4
            bytes.replaceSubrange(start..<min(bytes.count, start + width), with: written)
        }
    }

    private mutating func noise() -> [UInt8] {
        (0..<Int.random(in: 1...8, using: &random)).map { _ in .random(in: .min ... .max, using: &random) }
    }

    /// Where counters and signs turn over.
    private static let numbers: [UInt64] = [
        0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFF, 0x7FFF_FFFF_FFFF_FFFF, .max,
    ]
}

/// A small repeatable generator (SplitMix64, Steele, Lea and Flood 2014).
package struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64

    package init(seed: UInt64) { state = seed }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
