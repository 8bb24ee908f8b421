import Domain
import Glibc

/// The machine's clocks.
struct SystemTime: TimeSource {
    func unixMilliseconds() -> UInt64 {
        let now = read(CLOCK_REALTIME)
        return UInt64(now.tv_sec) * 1000 + UInt64(now.tv_nsec) / 1_000_000
    }

    func monotonicNanoseconds() -> UInt64 {
        let now = read(CLOCK_MONOTONIC)
        return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
    }

    /// Nanoseconds of a clock that never goes back and goes on while the machine sleeps.
    func bootNanoseconds() -> UInt64 {
        let now = read(CLOCK_BOOTTIME)
        return UInt64(now.tv_sec) * 1_000_000_000 + UInt64(now.tv_nsec)
    }

    private func read(_ clock: clockid_t) -> timespec {
        var now = timespec()
        clock_gettime(clock, &now)
        return now
    }
}
