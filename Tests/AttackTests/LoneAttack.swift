import Foundation
import TestSupport

/// Attempts that end or outlive their sandbox, each in one of its own, and the one that needs two.
struct LoneAttack {
    let yard: AttackYard
    let helper: HostHelper
    /// More standard output than this has passed a limit of one MiB.
    private static let outputBytesMax = 2 << 20

    func findings(_ row: AttackRow) throws -> (wall: AttackFinding, control: AttackFinding) {
        let wall = try finding(row, extra: row.inside, tag: "wall") { command in
            let options = ["--apply", "never"] + row.options.split(separator: " ").map(String.init)
            return try yard.wall(command, in: yard.project, options: options, timeoutSeconds: 40)
        }
        let directory = yard.path + "/" + row.id
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        try yard.identity.own(directory)
        let control = try finding(row, extra: row.outside + " control=1 temporary=" + directory, tag: "control") {
            try yard.outside([yard.probe] + $0.dropFirst(), in: directory, timeoutSeconds: 40)
        }
        return (wall, control)
    }

    private func finding(
        _ row: AttackRow,
        extra: String,
        tag: String,
        run: ([String]) throws -> ProcessResult
    ) throws -> AttackFinding {
        // The tag stands in the arguments of every process that the attempt makes.
        let mark = "tag=\(yard.nonce)-\(row.id)-\(tag)"
        let words = yard.words + helper.words + extra.split(separator: " ").map(String.init)
        let result = try run(["./probe", row.id, mark] + words)
        let survivors = Self.endSurvivors(mark)
        let summary = "status \(result.status) \(result.stderr.suffix(200))"
        if let survivor = survivors.first {
            return AttackFinding(verdict: .through, detail: "process \(survivor) lives on the host")
        }
        if result.timedOut { return AttackFinding(verdict: .through, detail: "the run did not end") }
        if result.standardOutput.count > Self.outputBytesMax {
            return AttackFinding(verdict: .through, detail: "\(result.standardOutput.count) bytes of output")
        }
        if [125, 126, 127].contains(result.status) { return AttackFinding(verdict: .error, detail: summary) }
        if let finding = AttackFinding.parse(result.stdout)[row.id] {
            guard row.expected == .killed, finding.verdict == .private else { return finding }
            return AttackFinding(verdict: .refused, detail: "ESRCH no process is left")
        }
        // Status 0 without a line is an attempt that did nothing.
        return AttackFinding(verdict: result.status == 0 ? .error : .killed, detail: summary)
    }

    /// Processes on the host with the mark in their arguments; they are ended. One of them may have made itself a child
    /// of this process: it is reaped, as the test library hears of no other child's end as long as a dead one is left.
    private static func endSurvivors(_ mark: String) -> [pid_t] {
        // Children that die with their parent need a moment; a daemon stays for a minute.
        for _ in 0..<10 where !processes(mark).isEmpty { Thread.sleep(forTimeInterval: 0.1) }
        let survivors = processes(mark)
        for survivor in survivors {
            kill(survivor, SIGKILL)
            waitpid(survivor, nil, 0)
        }
        return survivors
    }

    private static func processes(_ mark: String) -> [pid_t] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.compactMap { pid_t($0) }.filter { process in
            guard let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") else { return false }
            return String(decoding: line, as: UTF8.self).split(separator: "\0").contains { $0 == mark }
        }
    }

    /// One sandbox waits for what comes, a second one of the same user goes there.
    func pairFindings(_ row: AttackRow) throws -> (wall: AttackFinding, control: AttackFinding) {
        let wall = try pair(row) { try yard.wall($0, in: yard.project, timeoutSeconds: 20) }
        let control = try pair(row) {
            try yard.outside([yard.probe] + $0.dropFirst(), in: yard.path, timeoutSeconds: 20)
        }
        return (wall, control)
    }

    private func pair(_ row: AttackRow, _ run: ([String]) throws -> ProcessResult) throws -> AttackFinding {
        let port = helper.words.first { $0.hasPrefix("visit=") }?.dropFirst(6) ?? "0"
        let (listenerID, guestID) = (row.inside, row.outside)
        return try withoutActuallyEscaping(run) { run in
            nonisolated(unsafe) let run = run
            let words = yard.words
            nonisolated(unsafe) var listener: ProcessResult?
            let thread = Thread { listener = try? run(["./probe", listenerID, "visit=\(port)"] + words) }
            thread.start()
            Thread.sleep(forTimeInterval: 1.0)
            let guest = try run(["./probe", guestID, "port=\(port)"] + words)
            while !thread.isFinished { Thread.sleep(forTimeInterval: 0.05) }
            guard let listener, AttackFinding.parse(listener.stdout)[listenerID]?.verdict == .private else {
                return AttackFinding(verdict: .error, detail: "no listener: \(listener?.summary ?? "not started")")
            }
            let missing = AttackFinding(verdict: .error, detail: guest.summary)
            return AttackFinding.parse(guest.stdout)[guestID] ?? missing
        }
    }
}
