/// A classic BPF program that decides a system call by its number and, for a few, by its arguments.
///
/// The numbers are found by halving, as an `if` tree. The kernel runs a new filter once for every number it knows, and
/// a list would make that, and each call whose arguments count, several times as dear. libseccomp makes such programs
/// too; it takes over a millisecond, which every start of a sandbox would pay.
struct FilterProgram {
    /// 32 bits of an argument compared under a mask. Of an argument that the kernel reads as 32 bits the upper half of
    /// the register is no matter; of one that it reads as 64 bits both halves are compared.
    struct Condition: Equatable {
        var argument: UInt32
        var isUpperHalf = false
        var mask: UInt32
        var value: UInt32
    }

    /// What happens where every condition holds. No condition always holds.
    struct Rule: Equatable {
        var conditions: [Condition]
        var action: UInt32
    }

    /// What the program sees: struct seccomp_data of linux/seccomp.h. An argument's lower half comes first on the
    /// machines that Swift runs on.
    private enum Offset {
        static let number: UInt32 = 0, architecture: UInt32 = 4
        static func argument(_ condition: Condition) -> UInt32 {
            16 + 8 * condition.argument + (condition.isUpperHalf ? 4 : 0)
        }
    }

    /// linux/bpf_common.h
    private enum Code {
        static let load: UInt16 = 0x20, and: UInt16 = 0x54, jump: UInt16 = 0x05
        static let jumpIfEqual: UInt16 = 0x15, jumpIfGreaterOrEqual: UInt16 = 0x35, `return`: UInt16 = 0x06
    }

    /// SECCOMP_RET_KILL_THREAD: for calls through the door of another architecture.
    static let kill: UInt32 = 0
    /// Numbers from here on are calls of the x32 architecture.
    static let firstForeignNumber: UInt32 = 0x4000_0000
    /// BPF_MAXINSNS of linux/bpf_common.h.
    static let instructionsMax = 4096
    private static let conditionalJumpMax = 255

    let architecture: UInt32
    let defaultAction: UInt32
    private var rules: [UInt32: [Rule]] = [:]

    init(architecture: UInt32, defaultAction: UInt32) {
        self.architecture = architecture
        self.defaultAction = defaultAction
    }

    /// Adds a rule for a number, to be tried after those that it has.
    mutating func add(_ number: UInt32, _ rule: Rule) {
        precondition(number < Self.firstForeignNumber, "a number is one of this architecture")
        rules[number, default: []].append(rule)
    }

    /// The program, eight bytes an instruction; nil if it is too long for the kernel.
    func assembled() -> [UInt8]? {
        var program: [Instruction] = [
            Instruction(Code.load, Offset.architecture),
            Instruction(Code.jumpIfEqual, architecture, whenTrue: 1),
            Instruction(Code.return, Self.kill),
            Instruction(Code.load, Offset.number),
        ]
        program += tree(ArraySlice(ranges()))
        guard program.count <= Self.instructionsMax else { return nil }
        return program.map(\.word).withUnsafeBytes { Array($0) }
    }

    /// Neighbouring numbers with the same fate, from 0 to the last number, without a gap.
    private func ranges() -> [(first: UInt32, rules: [Rule])] {
        let other = [Rule(conditions: [], action: defaultAction)]
        var found: [(first: UInt32, rules: [Rule])] = [(0, other)]
        func begin(_ first: UInt32, _ rules: [Rule]) {
            if found[found.count - 1].first == first { found.removeLast() }
            if let last = found.last, last.rules == rules { return }
            found.append((first, rules))
        }
        for (number, ownRules) in rules.sorted(by: { $0.key < $1.key }) {
            begin(number, ownRules)
            begin(number + 1, other)
        }
        begin(Self.firstForeignNumber, [Rule(conditions: [], action: Self.kill)])
        // -1 is no call: what programs make of a number that they do not know.
        begin(.max, other)
        return found
    }

    private func tree(_ ranges: ArraySlice<(first: UInt32, rules: [Rule])>) -> [Instruction] {
        if let only = ranges.first, ranges.count == 1 { return leaf(only.rules) }
        let middle = ranges.startIndex + ranges.count / 2
        let lower = tree(ranges[..<middle])
        let upper = tree(ranges[middle...])
        let first = ranges[middle].first
        if lower.count <= Self.conditionalJumpMax {
            let branch = Instruction(Code.jumpIfGreaterOrEqual, first, whenTrue: UInt8(lower.count))
            return [branch] + lower + upper
        }
        let branch = Instruction(Code.jumpIfGreaterOrEqual, first, whenTrue: 0, whenFalse: 1)
        return [branch, Instruction(Code.jump, UInt32(lower.count))] + lower + upper
    }

    /// Tries the rules in turn; where none holds, the default does.
    private func leaf(_ rules: [Rule]) -> [Instruction] {
        var code: [Instruction] = []
        for rule in rules {
            for (place, condition) in rule.conditions.enumerated() {
                code.append(Instruction(Code.load, Offset.argument(condition)))
                if condition.mask != .max { code.append(Instruction(Code.and, condition.mask)) }
                let rest = rule.conditions[(place + 1)...].reduce(1) { $0 + ($1.mask == .max ? 2 : 3) }
                code.append(Instruction(Code.jumpIfEqual, condition.value, whenTrue: 0, whenFalse: UInt8(rest)))
            }
            code.append(Instruction(Code.return, rule.action))
            if rule.conditions.isEmpty { return code }
        }
        return code + [Instruction(Code.return, defaultAction)]
    }

    /// struct sock_filter of linux/filter.h, as one little-endian word.
    private struct Instruction {
        let word: UInt64

        init(_ code: UInt16, _ value: UInt32, whenTrue: UInt8 = 0, whenFalse: UInt8 = 0) {
            word = (UInt64(code) | UInt64(whenTrue) << 16 | UInt64(whenFalse) << 24 | UInt64(value) << 32).littleEndian
        }
    }
}
