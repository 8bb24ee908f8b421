import Glibc
import Testing

@testable import Sandbox

@Suite("what became of an execution is told by what the process runs afterwards")
struct ProcessImageTests {
    /// A line of `/proc/PID/stat` with the fields that count.
    private static func line(
        _ name: String,
        state: String = "S",
        flags: UInt64 = 0,
        stack: UInt64 = 0,
        arguments: UInt64 = 0
    ) -> [UInt8] {
        var fields = (3...52).map { String($0 * 1000) }
        fields[0] = state
        fields[5] = "-1"
        fields[6] = String(flags)
        fields[25] = String(stack)
        fields[45] = String(arguments)
        return Array("77 (\(name)) \(fields.joined(separator: " "))\n".utf8)
    }

    private static func image(
        _ name: String,
        state: String = "S",
        isForked: Bool = false,
        stack: UInt64 = 0x7FFD_0000_0000
    ) throws -> ProcessImage {
        let flags: UInt64 = 0x40_0000 | (isForked ? 0x40 : 0)
        return try #require(ProcessImage(line: line(name, state: state, flags: flags, stack: stack, arguments: stack)))
    }

    @Test("a name with brackets and spaces hides no field", arguments: ["sh", "a) S 1 (b", "", ") ", "((("])
    func names(_ name: String) throws {
        let found = try #require(
            ProcessImage(line: Self.line(name, state: "Z", flags: 0x40_0040, stack: 7, arguments: 9))
        )
        #expect(found.name == Array(name.utf8) && found.isDead && found.isForked)
        #expect(found.stackStart == 7 && found.argumentsStart == 9 && found.startTicks == 22_000)
    }

    @Test("what is no such line is none", arguments: ["", "7", "7 (sh", "7 (sh)", "7 (sh) S 1 2 3", ")(", "7 )( S 1"])
    func broken(_ text: String) { #expect(ProcessImage(line: Array(text.utf8)) == nil) }

    @Test func thisProcess() throws {
        let found = try #require(ProcessImage(of: getpid()))
        #expect(!found.isForked && !found.isDead && found.stackStart > 0 && found.argumentsStart > found.stackStart)
        #expect(ProcessImage(of: -1) == nil)
    }

    @Test("a fork that executes is one no more")
    func forks() throws {
        let request = ExecutionRequest(path: Array("/bin/cc".utf8))
        #expect(request.outcome(now: try Self.image("sh", isForked: true)) == .failed)
        #expect(request.outcome(now: try Self.image("cc")) == .executed)
        #expect(request.outcome(now: try Self.image("cc", state: "Z", stack: 0)) == .executed)
        let again = ExecutionRequest(path: Array("cc".utf8), before: try Self.image("sh", isForked: true))
        #expect(again.outcome(now: try Self.image("sh", isForked: true)) == .failed)
        #expect(again.outcome(now: try Self.image("sh")) == .executed, "the same name, the same place")
    }

    @Test("an execution puts stack and arguments elsewhere")
    func chains() throws {
        let request = ExecutionRequest(path: Array("/bin/sh".utf8), before: try Self.image("sh"))
        #expect(request.outcome(now: try Self.image("sh")) == .failed)
        #expect(request.outcome(now: try Self.image("sh", stack: 0x7FFC_0000_0000)) == .executed)
        #expect(request.outcome(now: try Self.image("sh", state: "Z", stack: 0)) == .unknown)
        let fixed = try Self.image("sh", stack: 0x7FFF_FFFF_E000)
        #expect(ExecutionRequest(path: nil, before: fixed).outcome(now: fixed) == .unknown, "not by chance")
        let shut = try Self.image("sh", stack: 0)
        #expect(ExecutionRequest(path: nil, before: shut).outcome(now: shut) == .unknown)
    }

    @Test("of the dead the name tells")
    func names() throws {
        let before = try Self.image("python3")
        let request = ExecutionRequest(path: Array("/usr/bin/a-very-long-name-of-a-tool".utf8), before: before)
        #expect(request.outcome(now: try Self.image("a-very-long-nam", state: "Z", stack: 0)) == .executed)
        #expect(request.outcome(now: try Self.image("python3", state: "Z", stack: 0)) == .failed)
        #expect(request.outcome(now: try Self.image("renamed", state: "Z", stack: 0)) == .unknown)
    }
}
