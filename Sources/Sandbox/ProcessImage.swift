import CLinux
import Glibc

/// What the kernel tells of a process and of the program that it runs (proc_pid_stat(5)).
package struct ProcessImage: Equatable {
    /// Fields as the manual numbers them.
    private enum Field {
        static let state = 3, flags = 9, startTime = 22, stackStart = 28, argumentsStart = 48
    }

    /// PF_FORKNOEXEC of linux/sched.h.
    private static let forkedFlag: UInt64 = 0x40
    /// The line has 52 numbers and a name of 64 bytes at most.
    private static let bytesMax = 2048

    /// The last part of what was executed, up to 15 bytes; a program can give itself another.
    package let name: [UInt8]
    /// It has ended, and only its parent has not waited for it.
    package let isDead: Bool
    /// It has executed nothing since it was forked.
    package let isForked: Bool
    /// Where its stack and its arguments began: chosen anew by each execution, and by chance. Zero for the dead, and
    /// where nobody may look.
    package let stackStart: UInt64
    package let argumentsStart: UInt64
    /// Together with the id it names a process for good.
    package let startTicks: UInt64

    /// Nil if there is no such process.
    package init?(of process: Int32) {
        let file = bailey_open("/proc/\(process)/stat", O_RDONLY | O_CLOEXEC, 0)
        guard file >= 0 else { return nil }
        defer { close(file) }
        let line = [UInt8](unsafeUninitializedCapacity: Self.bytesMax) { buffer, initialized in
            initialized = max(0, read(file, buffer.baseAddress, Self.bytesMax))
        }
        self.init(line: line)
    }

    /// Nil for what is no such line.
    package init?(line: [UInt8]) {
        // The name may hold anything, brackets and spaces too, so fields are counted from the last bracket.
        guard let start = line.firstIndex(of: UInt8(ascii: "(")), let end = line.lastIndex(of: UInt8(ascii: ")")),
            start < end, end + 2 < line.count
        else { return nil }
        var numbers = [UInt64](repeating: 0, count: Field.argumentsStart + 1)
        var field = Field.state
        for byte in line[(end + 2)...] {
            if byte == UInt8(ascii: " ") {
                field += 1
                if field == numbers.count { break }
            } else if byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
                numbers[field] = numbers[field] &* 10 &+ UInt64(byte - UInt8(ascii: "0"))
            }
        }
        guard field == numbers.count else { return nil }
        name = Array(line[(start + 1)..<end])
        let state = line[end + 2]
        isDead = state == UInt8(ascii: "Z") || state == UInt8(ascii: "X")
        isForked = numbers[Field.flags] & Self.forkedFlag != 0
        stackStart = numbers[Field.stackStart]
        argumentsStart = numbers[Field.argumentsStart]
        startTicks = numbers[Field.startTime]
    }
}
