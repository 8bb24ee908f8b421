import Domain

/// Test data that looks like secrets, made when the tests run so that none stands in the source.
struct Samples {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }

    mutating func text(_ count: Int, of alphabet: String = Samples.alphanumeric) -> String {
        let characters = Array(alphabet)
        // A digit and a letter come first, so that a sample never happens to be a word.
        let start = ["7", "A", "a"].filter { alphabet.contains($0) }.prefix(2).joined().prefix(count)
        return start
            + String(
                (start.count..<max(start.count, count)).map { _ in characters[Int(next() % UInt64(characters.count))] }
            )
    }

    static let alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    static let upper = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
    static let hex = "0123456789abcdef"
}
