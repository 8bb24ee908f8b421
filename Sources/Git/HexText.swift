import Domain

/// Hexadecimal digits as bytes, as git writes them.
enum HexText {
    static func isLower(_ text: some Collection<UInt8>) -> Bool {
        text.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    /// The lower-case hexadecimal digits as bytes.
    static func encode(_ bytes: [UInt8]) -> [UInt8] { Array(Hex.encode(bytes).utf8) }
}
