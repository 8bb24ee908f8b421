import Domain

/// Notes when an apply passes its named points, each once.
final class PhaseClock {
    private let time = BenchTime()
    private var last: UInt64
    private var phases: [(String, JSONValue)] = []

    init() { last = time.monotonicNanoseconds() }

    /// A step that is taken once for each change is no phase.
    func pass(_ name: StaticString) {
        guard !name.description.hasPrefix("operation") else { return }
        let now = time.monotonicNanoseconds()
        phases.append((name.description, .number(Double(now - last) / 1e6)))
        last = now
    }

    var milliseconds: JSONValue { .object(phases) }
}
