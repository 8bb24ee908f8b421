import Domain
import Testing

@testable import Sandbox

@Suite("the output budget")
struct OutputBudgetTests {
    private func limits(bytes: UInt64?, perSecond: UInt64) -> ResourceLimits {
        var limits = ResourceLimits()
        limits.outputBytes = bytes
        limits.outputBytesPerSecond = perSecond
        return limits
    }

    @Test("is over one byte beyond the limit, and never without one")
    func total() {
        var budget = OutputBudget(limits(bytes: 10, perSecond: 1000), startNanoseconds: 0)
        budget.update((6, 4), at: 0)
        #expect(!budget.isOver)
        budget.update((6, 5), at: 0)
        #expect(budget.isOver)
        var unlimited = OutputBudget(limits(bytes: nil, perSecond: 1000), startNanoseconds: 0)
        unlimited.update((1 << 40, 0), at: 0)
        #expect(!unlimited.isOver)
    }

    @Test("lets a burst of one second through, then the rate")
    func rate() {
        var budget = OutputBudget(limits(bytes: nil, perSecond: 100), startNanoseconds: 0)
        budget.update((100, 0), at: 0)
        #expect(!budget.isExhausted(at: 0))
        budget.update((150, 0), at: 0)
        #expect(budget.isExhausted(at: 0))
        #expect(!budget.isExhausted(at: 500_000_000))
    }
}
