import Domain
import Glibc

/// The machine's clocks.
struct BenchTime: TimeSource {
    func unixMilliseconds() -> UInt64 { read(CLOCK_REALTIME) / 1_000_000 }

    func monotonicNanoseconds() -> UInt64 { read(CLOCK_MONOTONIC) }

    private func read(_ clock: clockid_t) -> UInt64 {
        var now = timespec()
        clock_gettime(clock, &now)
        return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
    }

    /// What `body` returns, and how long it took.
    func measure<Result>(_ body: () throws -> Result) rethrows -> (Result, JSONValue) {
        let started = monotonicNanoseconds()
        let result = try body()
        return (result, .number(Double(monotonicNanoseconds() - started) / 1e6))
    }
}
