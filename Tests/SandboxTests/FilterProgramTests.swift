import Testing

@testable import Sandbox

@Suite("a filter program decides as its rules do")
struct FilterProgramTests {
    private static let here: UInt32 = 0xC000_003E
    private static let other: UInt32 = 0x4000_0003
    private static let ignore: UInt32 = 0x0005_0026

    @Test("whatever the rules, every call ends where the rules say", arguments: [0, 1, 7, 60, 400])
    func anyRules(count: Int) throws {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<20 {
            var program = FilterProgram(architecture: Self.here, defaultAction: Self.ignore)
            var rules: [UInt32: [FilterProgram.Rule]] = [:]
            for _ in 0..<count {
                let number = UInt32.random(in: 0..<500, using: &random)
                let conditions = (0..<Int.random(in: 0...2, using: &random)).map { _ in
                    FilterProgram.Condition(
                        argument: .random(in: 0..<6, using: &random),
                        mask: Bool.random(using: &random) ? .max : .random(in: 0..<8, using: &random),
                        value: .random(in: 0..<4, using: &random)
                    )
                }
                let rule = FilterProgram.Rule(conditions: conditions, action: .random(in: 1...3, using: &random))
                program.add(number, rule)
                rules[number, default: []].append(rule)
            }
            let machine = FilterMachine(program: try #require(program.assembled()))
            for number in (0..<520) {
                let arguments = (0..<6).map { _ in UInt64.random(in: 0..<4, using: &random) | 1 << 40 }
                let expected = rules[UInt32(number)]?.first { rule in
                    rule.conditions.allSatisfy {
                        UInt32(truncatingIfNeeded: arguments[Int($0.argument)]) & $0.mask == $0.value
                    }
                }
                let found = try machine.run(architecture: Self.here, number: UInt32(number), arguments: arguments)
                #expect(found.action == expected?.action ?? Self.ignore)
                let rulesTried = rules[UInt32(number)]?.count ?? 0
                #expect(found.steps <= 24 + 10 * rulesTried, "found by halving")
            }
        }
    }

    @Test("another architecture's door is closed, and no number is no call")
    func foreign() throws {
        var program = FilterProgram(architecture: Self.here, defaultAction: Self.ignore)
        for number in UInt32(0)..<300 { program.add(number, .init(conditions: [], action: 0x7FFF_0000)) }
        let machine = FilterMachine(program: try #require(program.assembled()))
        for number: UInt32 in [0, 1, 41, 299, 0x4000_0000, .max] {
            #expect(try machine.run(architecture: Self.other, number: number).action == FilterProgram.kill)
        }
        for number: UInt32 in [0x4000_0000, 0x4000_0001, 0x4000_0208, 0x7FFF_FFFF, 0x8000_0000, .max - 1] {
            #expect(try machine.run(architecture: Self.here, number: number).action == FilterProgram.kill)
        }
        #expect(try machine.run(architecture: Self.here, number: .max).action == Self.ignore)
        #expect(try machine.run(architecture: Self.here, number: 0x3FFF_FFFF).action == Self.ignore)
    }

    @Test("a program that the kernel would not take is not made")
    func tooLong() {
        var program = FilterProgram(architecture: Self.here, defaultAction: Self.ignore)
        for number in 0..<UInt32(FilterProgram.instructionsMax) {
            program.add(number * 2, .init(conditions: [], action: 1))
        }
        #expect(program.assembled() == nil)
    }
}
