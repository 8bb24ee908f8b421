import Domain
import Testing

@Suite("What models were used for is summed by model and never overflows")
struct ModelUseTests {
    @Test("requests of one model are one line, in the order of the first of each")
    func lines() {
        var use = ModelUse()
        let some = ModelUse.Tokens(input: 10, cacheRead: 5, output: 3)
        use.add(provider: "a", model: "x", tokens: some, microdollars: 7, isEstimated: false)
        use.add(provider: "a", model: "y", tokens: some, microdollars: nil, isEstimated: true)
        use.add(provider: "a", model: "x", tokens: some, microdollars: 1, isEstimated: false)
        use.addRefusal(provider: "b", model: "x")
        #expect(use.lines.map(\.model) == ["x", "y", "x"])
        #expect(use.lines[0].requests == 2 && use.lines[0].tokens.sum == 36 && use.lines[0].microdollars == 8)
        #expect(use.lines[1].unpriced == 1 && use.lines[1].estimated == 1)
        #expect(use.sum.requests == 3 && use.sum.refused == 1 && use.sum.tokens.input == 30)
    }

    @Test("more models than are told apart are summed together")
    func others() {
        var use = ModelUse()
        for number in 0..<ModelUse.linesMax + 50 {
            use.add(provider: "a", model: "m\(number)", tokens: .init(), microdollars: 1, isEstimated: false)
        }
        #expect(use.lines.count == ModelUse.linesMax + 1)
        #expect(use.lines.last?.model == ModelUse.othersName && use.lines.last?.requests == 50)
        #expect(use.sum.requests == UInt64(ModelUse.linesMax) + 50)
    }

    @Test("no number of refusals hides what was used")
    func refusals() {
        var use = ModelUse()
        for number in 0..<100_000 { use.addRefusal(provider: "a", model: "m\(number)") }
        use.add(provider: "a", model: "x", tokens: .init(), microdollars: 7, isEstimated: false)
        #expect(use.lines.count == ModelUse.refusedLinesMax + 2)
        #expect(use.lines.last?.model == "x" && use.lines.last?.microdollars == 7)
        #expect(use.sum.refused == 100_000 && use.sum.requests == 1)
    }

    @Test("no count overflows")
    func huge() {
        var use = ModelUse()
        let all = ModelUse.Tokens(input: .max, cacheRead: .max, cacheWrite: .max, output: .max)
        for _ in 0..<2 { use.add(provider: "a", model: "x", tokens: all, microdollars: .max, isEstimated: false) }
        #expect(use.sum.tokens.sum == .max && use.sum.microdollars == .max)
    }
}
