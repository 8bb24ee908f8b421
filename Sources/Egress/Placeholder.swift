/// What stands inside a sandbox where a secret would: a text of the secret's form, worth nothing, that is random for
/// each run. It can be told from everything else by its core, which any Bailey knows again.
package struct Placeholder: Hashable, Sendable {
    package let text: String

    /// The core: a mark, random characters, and a check of them.
    package static let mark = Array("BAILEY".utf8)
    private static let randomCount = 20
    private static let checkCount = 6
    package static let coreCount = mark.count + randomCount + checkCount
    private static let lengthMax = 4096

    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789".utf8)

    /// - Parameters:
    ///   - prefix: by which the issuer's keys are known, such as `sk-ant-api03-`; part of no secret.
    ///   - length: the secret's, in bytes; a shorter one than the prefix and the core becomes as long as these.
    package init(prefix: String, length: Int, random: inout some RandomNumberGenerator) {
        let filling = max(0, min(length, Self.lengthMax) - prefix.utf8.count - Self.coreCount)
        let words = (0..<filling + Self.randomCount).map { _ in Self.alphabet[Int.random(in: 0..<62, using: &random)] }
        let core = Array(words.suffix(Self.randomCount))
        text = String(
            decoding: Array(prefix.utf8) + words.prefix(filling) + Self.mark + core + Self.check(core),
            as: UTF8.self
        )
    }

    /// One that was made elsewhere; nil where the text has no core.
    package init?(_ text: String) {
        guard !Self.cores(in: Array(text.utf8)).isEmpty else { return nil }
        self.text = text
    }

    /// Where cores of any Bailey's placeholders begin.
    package static func cores(in bytes: some RandomAccessCollection<UInt8>) -> [Int] {
        let bytes = Array(bytes)
        guard bytes.count >= coreCount else { return [] }
        return (0...bytes.count - coreCount).filter { isCore(bytes[$0..<$0 + coreCount]) }
    }

    /// True for the bytes of a core and nothing more.
    package static func isCore(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard bytes.count == coreCount, bytes.starts(with: mark) else { return false }
        let random = Array(bytes.dropFirst(mark.count).prefix(randomCount))
        return bytes.suffix(checkCount).elementsEqual(check(random))
    }

    /// FNV-1a, so that words which only look alike are no alarm; no protection against anybody.
    private static func check(_ bytes: [UInt8]) -> [UInt8] {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
        return (0..<checkCount).map { _ in
            defer { hash /= 62 }
            return alphabet[Int(hash % 62)]
        }
    }
}
