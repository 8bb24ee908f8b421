import Domain
import Glibc
import Testing

@testable import Sandbox

@Suite("the ends of observed processes are taken down many at once")
struct ProcessTableTests {
    private struct StillTime: TimeSource {
        func unixMilliseconds() -> UInt64 { 0 }
        func monotonicNanoseconds() -> UInt64 { 9 }
    }

    private let table = ProcessTable(time: StillTime(), startNanoseconds: 2)

    /// A child that ends with this status, dead and not waited for.
    private func zombie(_ status: Int, in table: ProcessTable) throws -> Int32 {
        var process: pid_t = 0
        let script = "kill -STOP $$; exit \(status)"
        let words: [UnsafeMutablePointer<CChar>?] = ["/bin/sh", "-c", script].map { (word: String) in strdup(word) }
        defer { words.forEach { free($0) } }
        try #require(posix_spawn(&process, "/bin/sh", nil, nil, words + [nil], nil) == 0)
        var information = siginfo_t()
        #expect(waitid(P_PID, id_t(process), &information, WSTOPPED) == 0)
        let arguments = TargetMemory.Arguments(texts: [Array("sh".utf8)])
        table.execute(table.caller(process), path: Array("/bin/sh".utf8), arguments: arguments)
        kill(process, SIGCONT)
        #expect(waitid(P_PID, id_t(process), &information, WEXITED | WNOWAIT) == 0)
        return process
    }

    private func wait(for process: Int32) { #expect(waitpid(process, nil, 0) == process) }

    @Test("how one ended is told once its parent has waited for it")
    func lateStatus() throws {
        let process = try zombie(7, in: table)
        #expect(table.collectExits() == 1 && table.collectExits() == 0, "each end is reported once")
        #expect(table.rows.first?.endNanoseconds == 7 && table.rows.first?.ending == nil)
        #expect((table.rows.first?.cpuNanoseconds ?? 0) > 0, "the clock of the dead still stands")
        table.saw([:])
        #expect(table.rows.first?.ending == nil)
        wait(for: process)
        table.saw([:])
        #expect(table.rows.first?.ending == .exited(code: 7))
        #expect(table.known(process) == nil)
    }

    @Test("one look takes down all that have ended")
    func many() throws {
        let processes = try (1...20).map { try zombie($0, in: table) }
        processes.forEach(wait)
        #expect(table.collectExits() == 20)
        #expect(table.rows.map(\.ending) == (1...20).map { .exited(code: $0) })
    }

    @Test("a call from the id of a dead process is another's")
    func usedAgain() throws {
        let process = try zombie(3, in: table)
        #expect(table.caller(process).process == process && table.rows.count == 1)
        #expect(table.collectExits() == 1)
        table.execute(table.caller(process), path: Array("/bin/other".utf8), arguments: nil)
        #expect(table.rows.map(\.executions) == [1, 1])
        #expect(table.known(process)?.path == Array("/bin/other".utf8))
        wait(for: process)
        table.finish()
        #expect(table.rows.last?.ending == .exited(code: 3))
    }

    @Test("what did not wait for its answer leaves no row")
    func dropped() {
        table.drop(table.caller(getpid()))
        #expect(table.rows.isEmpty && table.known(getpid()) == nil)
    }
}
