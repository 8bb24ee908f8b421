import Foundation

/// How long the short fuzzers run, and from which seed.
enum FuzzTime {
    /// For each target, of which there are many; `BAILEY_FUZZ_SECONDS` says otherwise.
    static let seconds = number("BAILEY_FUZZ_SECONDS").flatMap(Double.init) ?? 5
    /// Another one each time, unless `BAILEY_FUZZ_SEED` asks for one again.
    static let seed = number("BAILEY_FUZZ_SEED").flatMap(UInt64.init) ?? UInt64.random(in: .min ... .max)

    private static func number(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }
}
