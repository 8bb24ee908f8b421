/// Says in one pass over a name that no line of the table of sensitive names can match it.
///
/// It holds hashes of whole names, of last extensions and of the two last extensions together. A hash that is found
/// only means that the table must be asked, so that a collision costs time and nothing else.
struct HiddenNameFilter: Sendable {
    static let shared = HiddenNameFilter(HiddenPathRule.all.compactMap { $0.pattern.names.last })

    private var names: Set<UInt64> = []
    private var extensions: Set<UInt64> = []
    private var prefixes: [[UInt8]] = []

    init(_ patterns: [NamePattern]) {
        for pattern in patterns {
            if let literal = pattern.literal {
                names.insert(Self.hash(literal))
            } else if pattern.fixedPrefix.isEmpty {
                extensions.insert(Self.hash(pattern.fixedSuffix.drop { $0 == UInt8(ascii: ".") }))
            } else if !prefixes.contains(where: { pattern.fixedPrefix.starts(with: $0) }) {
                prefixes.removeAll { $0.starts(with: pattern.fixedPrefix) }
                prefixes.append(pattern.fixedPrefix)
            }
        }
        for suffix in HiddenPaths.backupSuffixes where suffix.first == UInt8(ascii: ".") {
            extensions.insert(Self.hash(suffix.dropFirst()))
        }
    }

    func mayMatch(_ name: [UInt8]) -> Bool {
        name.withUnsafeBufferPointer { bytes in
            var whole = Self.seed
            var extensionOne = Self.seed
            var extensionTwo = Self.seed
            for byte in bytes {
                let lower = ASCIIFold.lower(byte)
                whole = Self.step(whole, lower)
                extensionTwo = Self.step(extensionTwo, lower)
                if lower == UInt8(ascii: ".") {
                    extensionTwo = Self.step(extensionOne, lower)
                    extensionOne = Self.seed
                } else {
                    extensionOne = Self.step(extensionOne, lower)
                }
            }
            guard let last = bytes.last else { return false }
            return last == UInt8(ascii: "~") || last == UInt8(ascii: "#") || names.contains(whole)
                || extensions.contains(extensionOne) || extensions.contains(extensionTwo)
                || prefixes.contains { Self.starts(bytes, with: $0) }
        }
    }

    private static func starts(_ bytes: UnsafeBufferPointer<UInt8>, with prefix: [UInt8]) -> Bool {
        guard bytes.count >= prefix.count else { return false }
        for index in prefix.indices where ASCIIFold.lower(bytes[index]) != prefix[index] { return false }
        return true
    }

    /// FNV-1a, 64 bits.
    private static let seed: UInt64 = 0xCBF2_9CE4_8422_2325

    @inline(__always)
    private static func step(_ hash: UInt64, _ byte: UInt8) -> UInt64 { (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }

    private static func hash(_ bytes: some Sequence<UInt8>) -> UInt64 { bytes.reduce(seed, step) }
}
