import Domain

/// How much output may still pass, in all and per second.
struct OutputBudget {
    static let pauseNanoseconds: UInt64 = 10_000_000

    private let bytesMax: UInt64?
    private let bytesPerSecond: UInt64
    private let startNanoseconds: UInt64
    private var passed: UInt64 = 0

    init(_ limits: ResourceLimits, startNanoseconds: UInt64) {
        bytesMax = limits.outputBytes
        bytesPerSecond = max(1, limits.outputBytesPerSecond)
        self.startNanoseconds = startNanoseconds
    }

    mutating func update(_ bytes: (UInt64, UInt64), at now: UInt64) { passed = bytes.0 + bytes.1 }

    var isOver: Bool { bytesMax.map { passed > $0 } ?? false }

    /// True while more has passed than the rate allows for the time so far; one second's worth may come in a burst.
    func isExhausted(at now: UInt64) -> Bool {
        let seconds = Double(now - startNanoseconds) / 1e9 + 1
        return Double(passed) > Double(bytesPerSecond) * seconds
    }
}
