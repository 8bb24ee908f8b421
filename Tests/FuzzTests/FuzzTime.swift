import Foundation

/// How long the short fuzzers run, and from which seed.
enum FuzzTime {
    /// For each target; `BAILEY_FUZZ_SECONDS` says otherwise.
    static let seconds = number("BAILEY_FUZZ_SECONDS").flatMap(Double.init) ?? 6
    /// The same one each time, so that a change passes or fails for what it is; `BAILEY_FUZZ_SEED` takes another one,
    /// and the long form takes chance.
    static let seed = number("BAILEY_FUZZ_SEED").flatMap(UInt64.init) ?? 1

    private static func number(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }
}
