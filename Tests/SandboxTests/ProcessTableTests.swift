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

    /// A child that waits, stopped.
    private func stopped(_ script: String = "exit 0") throws -> Int32 {
        var process: pid_t = 0
        let texts = ["/bin/sh", "-c", "kill -STOP $$; \(script)"]
        let words: [UnsafeMutablePointer<CChar>?] = texts.map { (word: String) in strdup(word) }
        defer { words.forEach { free($0) } }
        try #require(posix_spawn(&process, "/bin/sh", nil, nil, words + [nil], nil) == 0)
        var information = siginfo_t()
        #expect(waitid(P_PID, id_t(process), &information, WSTOPPED) == 0)
        return process
    }

    private func execute(_ table: ProcessTable, _ process: Int32, _ path: String, _ word: String = "word") {
        let caller = table.caller(process)
        let request = ExecutionRequest(path: Array(path.utf8), before: caller.image)
        table.execute(caller, request, arguments: .init(texts: [Array(word.utf8)]))
    }

    @Test("a request that failed leaves a process what it was")
    func failedRequest() throws {
        let process = try stopped()
        execute(table, process, "/bin/sh", "sh")
        // Nothing of this is really executed, so that the next call finds what was there before.
        for path in ["/opt/bin/tool", "/usr/local/bin/tool", "/usr/bin/tool"] {
            execute(table, process, path)
            #expect(table.rows.first?.path == Array(path.utf8), "until it is known better")
        }
        table.settleAttempt(process, table.image(process))
        let row = try #require(table.rows.first)
        #expect(row.path == Array("/bin/sh".utf8) && row.arguments == [Array("sh".utf8)] && row.image == .executed)
        #expect(row.failedPath == Array("/usr/bin/tool".utf8) && row.executions == 4)
        kill(process, SIGCONT)
        wait(for: process)
        table.finish()
    }

    @Test("a request is settled by what runs later: at a look, and by the dead")
    func laterSigns() throws {
        let process = try stopped("exec sleep 100")
        execute(table, process, "/bin/sh")
        table.settleAttempt(process, table.image(process))
        execute(table, process, "/bin/sleep")
        table.saw([:])
        #expect(table.rows.first?.image == .assumed, "not yet, and a look tells no failure")
        kill(process, SIGCONT)
        for _ in 0..<10_000 where ProcessImage(of: process)?.name != Array("sleep".utf8) { usleep(1000) }
        table.saw([:])
        #expect(table.rows.first?.image == .executed && table.rows.first?.path == Array("/bin/sleep".utf8))

        let failing = try stopped()
        execute(table, failing, "/bin/sh")
        table.settleAttempt(failing, table.image(failing))
        execute(table, failing, "/bin/none")
        for process in [failing, process] {
            kill(process, SIGKILL)
            var information = siginfo_t()
            #expect(waitid(P_PID, id_t(process), &information, WEXITED | WNOWAIT) == 0)
        }
        #expect(table.collectExits() == 2)
        #expect(table.rows.last?.path == Array("/bin/sh".utf8) && table.rows.last?.failedPath != nil)
        [failing, process].forEach(wait)
        table.finish()
    }

    @Test("who is gone at once is told by what a lookup said")
    func lookup() throws {
        for (presence, image) in [(ExecutionRequest.Presence.there, "assumed"), (.missing, "forked")] {
            let table = ProcessTable(time: StillTime(), startNanoseconds: 2)
            let process = try stopped()
            let request = ExecutionRequest(path: Array("/bin/tool".utf8), presence: presence)
            table.execute(table.caller(process), request, arguments: nil)
            kill(process, SIGKILL)
            wait(for: process)
            #expect(table.collectExits() == 1)
            #expect(table.rows.first?.image.rawValue == image)
            #expect((table.rows.first?.failedPath == nil) == (presence == .there))
        }
    }

    @Test("who went on for longer than an execution takes has not executed")
    func looksInVain() throws {
        for looks in 0...2 {
            let table = ProcessTable(time: StillTime(), startNanoseconds: 2)
            let process = try stopped()
            execute(table, process, "/bin/sh")
            let caller = table.caller(process)
            let request = ExecutionRequest(path: Array("/bin/tool".utf8), presence: .there, before: caller.image)
            table.execute(caller, request, arguments: nil)
            for _ in 0..<looks { table.saw([:]) }
            kill(process, SIGKILL)
            wait(for: process)
            #expect(table.collectExits() == 1)
            #expect(table.rows.first?.path == Array((looks < 2 ? "/bin/tool" : "/bin/sh").utf8), "\(looks)")
            #expect(table.rows.first?.image == (looks < 2 ? .assumed : .executed))
        }
    }

    @Test("beyond what is held, processes are counted once and their ends found by a look")
    func unheld() throws {
        let table = ProcessTable(time: StillTime(), startNanoseconds: 2, pidfdsMax: 1)
        let processes = try (0..<3).map { _ in try stopped() }
        for process in processes + processes { execute(table, process, "/bin/sh") }
        #expect(table.rows.map(\.executions) == [2, 2, 2])
        table.saw([:])
        #expect(table.rows.allSatisfy { $0.endNanoseconds == nil })
        for process in processes {
            kill(process, SIGKILL)
            wait(for: process)
        }
        while table.collectExits() > 0 {}
        table.saw([:])
        #expect(table.rows.allSatisfy { $0.endNanoseconds == 7 })
        #expect(table.rows.map { $0.ending == nil } == [false, true, true])
        #expect(processes.allSatisfy { table.known($0) == nil })
    }

    @Test("a process that found no room in the table is counted once, however often it calls")
    func countedOnce() throws {
        let table = ProcessTable(time: StillTime(), startNanoseconds: 2, pidfdsMax: 1)
        for stranger in 0..<Int32(ProcessTable.processesMax) { execute(table, 0x7000_0000 + stranger, "/bin/sh") }
        let processes = try (0..<3).map { _ in try stopped() }
        for process in processes + processes + processes { execute(table, process, "/bin/sh") }
        #expect(table.rows.count == ProcessTable.processesMax && table.leftOut == 3)
        for process in processes {
            kill(process, SIGKILL)
            wait(for: process)
        }
        table.finish()
    }

    @Test("what did not wait for its answer leaves no row")
    func dropped() {
        table.drop(table.caller(getpid()))
        #expect(table.rows.isEmpty && table.known(getpid()) == nil)
    }
}
