import Foundation
import TestSupport

/// A `bailey` that runs beside the test, for signals and kills.
final class Background {
    private let process = Process()
    private let yard: Yard
    let processID: pid_t

    /// - Parameter output: a file that gets both streams; nil drops them.
    init(_ yard: Yard, _ arguments: [String], with extra: [String: String] = [:], output: String? = nil) throws {
        self.yard = yard
        let words = yard.identity.prefix + [yard.program] + arguments
        process.executableURL = URL(fileURLWithPath: words[0])
        process.arguments = Array(words.dropFirst())
        process.environment = yard.environment.merging(extra) { $1 }
        process.currentDirectoryURL = URL(fileURLWithPath: yard.project)
        process.standardInput = FileHandle.nullDevice
        let stream = try output.map(Self.newFile) ?? FileHandle.nullDevice
        process.standardOutput = stream
        process.standardError = stream
        try process.run()
        processID = process.processIdentifier
    }

    deinit { if process.isRunning { kill(processID, SIGKILL) } }

    var isRunning: Bool { process.isRunning }

    private static func newFile(_ path: String) throws -> FileHandle {
        try Data().write(to: URL(fileURLWithPath: path))
        return try FileHandle(forWritingTo: URL(fileURLWithPath: path))
    }

    func send(_ signal: Int32) { kill(processID, signal) }

    /// Waits for the end; the exit code, or 128 + n for a signal.
    func end(withinSeconds seconds: Double = 60) -> Int32? {
        guard Eventually.holds(withinSeconds: seconds, { !process.isRunning }) else { return nil }
        process.waitUntilExit()
        return process.terminationReason == .exit ? process.terminationStatus : 128 + process.terminationStatus
    }
}

/// Waiting for something that another process does.
enum Eventually {
    static func holds(withinSeconds seconds: Double = 30, _ condition: () throws -> Bool) rethrows -> Bool {
        let deadline = Date(timeIntervalSinceNow: seconds)
        while Date() < deadline {
            if try condition() { return true }
            usleep(10_000)
        }
        return try condition()
    }
}

/// What may be left on the machine after a run.
enum Leftovers {
    /// Processes whose command line holds a word.
    static func processes(_ word: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.filter { Int32($0) != nil && $0 != String(getpid()) }.compactMap { name in
            let line = FileManager.default.contents(atPath: "/proc/\(name)/cmdline") ?? Data()
            let text = String(decoding: line.map { $0 == 0 ? 0x20 : $0 }, as: UTF8.self)
            return text.contains(word) ? "\(name) \(text)" : nil
        }
    }

    /// Mounts of the host whose line holds a word.
    static func mounts(_ word: String) -> [String] {
        let text = (try? String(contentsOfFile: "/proc/self/mountinfo", encoding: .utf8)) ?? ""
        return text.split(separator: "\n").map(String.init).filter { $0.contains(word) }
    }

    /// Control groups and temporary files named for a run.
    static func named(_ word: String) throws -> [String] {
        try ProcessRunner.run(
            "/usr/bin/find",
            arguments: ["/sys/fs/cgroup", "/tmp", "/dev/shm", "/run", "-maxdepth", "6", "-name", "*\(word)*"]
        ).stdout.split(separator: "\n").map(String.init)
    }
}
