import Foundation
import TestSupport
import Testing

/// Whoever reads Bailey's output may stop, and must not thereby keep a command alive or Bailey from ending.
@Suite("a reader that stopped holds nothing up")
struct ReaderTests {
    private static let patienceSeconds = 20.0

    /// `bailey run` with an output that nobody reads.
    private func start(_ yard: AttackYard, _ options: [String], _ script: String) throws -> (Process, Pipe) {
        let words =
            yard.identity.prefix + [yard.bailey, "run", "--project", yard.project, "--apply", "never"] + options
            + ["--", "/bin/sh", "-c", script]
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: words[0])
        process.arguments = Array(words.dropFirst())
        process.environment = yard.environment
        process.currentDirectoryURL = URL(fileURLWithPath: yard.project)
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = FileHandle.nullDevice
        try process.run()
        return (process, output)
    }

    private func ends(_ process: Process) -> Bool {
        let end = Date(timeIntervalSinceNow: Self.patienceSeconds)
        while process.isRunning, Date() < end { usleep(20_000) }
        guard process.isRunning else { return true }
        kill(process.processIdentifier, SIGKILL)
        return false
    }

    @Test("not the deadline", arguments: TestIdentity.available)
    func deadline(_ identity: TestIdentity) throws {
        let yard = try AttackYard(identity)
        defer { yard.remove() }
        let (process, output) = try start(yard, ["--timeout", "2s"], "yes")
        #expect(ends(process))
        #expect(process.terminationStatus == 124)
        withExtendedLifetime(output) {}
    }

    @Test("not a signal", arguments: TestIdentity.available, ["yes", "head -c 1000000 /dev/zero"])
    func signal(_ identity: TestIdentity, _ script: String) throws {
        let yard = try AttackYard(identity)
        defer { yard.remove() }
        let (process, output) = try start(yard, [], script)
        // Once a full pipe is there, the output is stuck.
        while output.fileHandleForReading.fileDescriptor >= 0, waiting(output) < 65536, process.isRunning {
            usleep(10_000)
        }
        process.terminate()
        #expect(ends(process))
        #expect(process.terminationStatus == 143)
    }

    private func waiting(_ output: Pipe) -> Int32 {
        var count: Int32 = 0
        _ = ioctl(output.fileHandleForReading.fileDescriptor, UInt(FIONREAD), &count)
        return count
    }

    @Test("an output that says `again` gets every byte")
    func again() throws {
        let yard = try AttackYard(TestIdentity.available[0])
        defer { yard.remove() }
        // The reader makes the pipe non-blocking, which holds for both who share it, and reads slowly.
        let reader = """
            import fcntl, os, sys, time, subprocess
            read, write = os.pipe()
            fcntl.fcntl(write, fcntl.F_SETFL, fcntl.fcntl(write, fcntl.F_GETFL) | os.O_NONBLOCK)
            child = subprocess.Popen(sys.argv[1:], stdout=write, stdin=subprocess.DEVNULL)
            os.close(write)
            count = 0
            while True:
                time.sleep(0.02)
                part = os.read(read, 65536)
                if not part: break
                count += len(part)
            child.wait()
            print(count)
            """
        let result = try yard.wall(
            ["/bin/sh", "-c", "head -c 3000000 /dev/zero"],
            in: yard.project,
            wrapper: ["/usr/bin/python3", "-c", reader]
        )
        #expect(result.stdout == "3000000\n", "\(result.summary)")
    }
}
