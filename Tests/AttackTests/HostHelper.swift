import Foundation
import TestSupport

/// The host's side: a process outside with sockets, shared memory and an environment worth attacking.
final class HostHelper {
    /// What the attempts must know of it, as KEY=VALUE words.
    let words: [String]
    private let process = Process()
    private let input = Pipe()

    init(yard: AttackYard) throws {
        let prefix = yard.identity.prefix
        let command = prefix + [yard.probe, "host"] + yard.words
        process.executableURL = URL(fileURLWithPath: command[0])
        process.arguments = Array(command.dropFirst())
        process.environment = yard.environment
        process.standardInput = input
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        words = line.split(whereSeparator: \.isWhitespace).map(String.init)
        guard words.contains(where: { $0.hasPrefix("pid=") }) else {
            stop()
            throw AttackError("start the host helper: it said \"\(line)\"")
        }
    }

    /// Ends the process and waits until it is reaped: a run loop without sources does not wait, and the test library
    /// hears of no other child's end as long as a dead one is left.
    func stop() {
        try? input.fileHandleForWriting.close()
        let end = Date(timeIntervalSinceNow: Self.patienceSeconds)
        while process.isRunning {
            if Date() > end { kill(process.processIdentifier, SIGKILL) }
            usleep(5000)
        }
    }

    private static let patienceSeconds = 10.0
}
