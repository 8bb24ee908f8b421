/// Runs a classic BPF program over one system call, as the kernel does: seccomp_data in, an action out.
struct FilterMachine {
    enum Fault: Error { case badJump, badInstruction, badLoad }

    let program: [UInt8]

    /// The action for a call, and how many steps it took.
    func run(
        architecture: UInt32,
        number: UInt32,
        arguments: [UInt64] = []
    ) throws -> (action: UInt32, steps: Int) {
        var data: [UInt32] = [number, architecture, 0, 0]
        for argument in arguments + Array(repeating: 0, count: 6 - arguments.count) {
            data += [UInt32(truncatingIfNeeded: argument), UInt32(truncatingIfNeeded: argument >> 32)]
        }
        var accumulator: UInt32 = 0
        var place = 0
        var steps = 0
        while true {
            guard place * 8 + 8 <= program.count else { throw Fault.badJump }
            steps += 1
            let word = program.withUnsafeBytes { $0.loadUnaligned(fromByteOffset: place * 8, as: UInt64.self) }
            let (whenTrue, whenFalse) = (Int(word >> 16 & 0xFF), Int(word >> 24 & 0xFF))
            let value = UInt32(word >> 32)
            place += 1
            switch word & 0xFFFF {
            case 0x20:
                guard value % 4 == 0, Int(value) / 4 < data.count else { throw Fault.badLoad }
                accumulator = data[Int(value) / 4]
            case 0x54: accumulator &= value
            case 0x05: place += Int(value)
            case 0x15: place += accumulator == value ? whenTrue : whenFalse
            case 0x35: place += accumulator >= value ? whenTrue : whenFalse
            case 0x06: return (value, steps)
            default: throw Fault.badInstruction
            }
        }
    }
}
