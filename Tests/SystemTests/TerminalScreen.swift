import Foundation
import TestSupport

/// A terminal that a test types into and reads: tmux on a socket of its own, with one window that runs a shell.
final class TerminalScreen {
    static let columns = 90
    static let rows = 28
    /// How long a test waits for something to appear: many times what it takes on a busy machine.
    static let waitSeconds = 40.0

    let yard: ToolchainYard
    private let socket: String

    /// Whether this machine has tmux.
    static let isPossible = access("/usr/bin/tmux", X_OK) == 0

    /// Starts a shell without start files as `yard`'s account, in the project.
    init(_ yard: ToolchainYard) throws {
        self.yard = yard
        socket = yard.path + "/state/tmux"
        let shell = "env -i \(yard.shellEnvironment) TERM=\"$TERM\" PS1='host> ' bash --norc --noprofile"
        try tmux([
            "-f", "/dev/null", "new-session", "-d", "-x", "\(Self.columns)", "-y", "\(Self.rows)", "-c", yard.project,
            shell,
        ])
        try wait(for: "host>")
    }

    deinit { _ = try? tmux(["kill-server"]) }

    /// Types text and presses Return.
    func type(_ line: String) throws {
        try tmux(["send-keys", "-l", "--", line])
        try press("Enter")
    }

    /// Presses keys by tmux's names, such as `C-c` or `Escape`.
    func press(_ keys: String...) throws { try tmux(["send-keys"] + keys) }

    /// Text without Return.
    func enter(_ text: String) throws { try tmux(["send-keys", "-l", "--", text]) }

    /// Pastes a file's bytes as they are.
    func paste(file: String, bracketed: Bool) throws {
        try tmux(["load-buffer", file])
        try tmux(["paste-buffer", "-r"] + (bracketed ? ["-p"] : []))
    }

    /// What tmux says of the window, such as `#{alternate_on}`.
    func value(_ format: String) throws -> String {
        try tmux(["display-message", "-p", format]).stdout.trimmingCharacters(in: .newlines)
    }

    /// Takes the terminal away.
    func close() throws { try tmux(["kill-server"]) }

    func resize(columns: Int, rows: Int) throws { try tmux(["resize-window", "-x", "\(columns)", "-y", "\(rows)"]) }

    /// What is on the screen now, without blank lines and without the blanks around a line.
    func lines() throws -> [String] {
        try tmux(["capture-pane", "-p"]).stdout.split(separator: "\n").map {
            $0.trimmingCharacters(in: .whitespaces)
        }
    }

    /// Waits until a line of the screen fulfils the condition; false if none does in time.
    func waits(_ condition: ([String]) -> Bool) throws -> Bool {
        let end = Date(timeIntervalSinceNow: Self.waitSeconds)
        while Date() < end {
            if condition(try lines()) { return true }
            usleep(30_000)
        }
        return false
    }

    /// Waits until a line begins with the text.
    func wait(for text: String) throws {
        guard try waits({ lines in lines.contains { $0.hasPrefix(text) } }) else {
            throw TerminalError("\"\(text)\" did not appear on:\n" + (try lines().joined(separator: "\n")))
        }
    }

    /// Starts `bailey run` on a cleared screen.
    func run(_ command: String, options: String = "") throws {
        try type("clear; '\(yard.programPath)' run \(options) -- \(command)")
    }

    /// Has the shell on the screen carry out a line, and returns what it printed, once it has ended.
    ///
    /// `$code` in the line is the code of what ran before. The shell prints the marks from two pieces, so that the
    /// typed line itself is never taken for them.
    func answer(_ line: String) throws -> [String] {
        let number = String(UInt32.random(in: 0x1000_0000..<0x7000_0000), radix: 16)
        try type("code=$?; clear; printf '%s%s\\n' begin- \(number); \(line); printf '%s%s\\n' end- \(number)")
        try wait(for: "end-" + number)
        let lines = try lines()
        guard let first = lines.firstIndex(of: "begin-" + number), let last = lines.firstIndex(of: "end-" + number)
        else { throw TerminalError("the answer to \(line) is not whole:\n" + lines.joined(separator: "\n")) }
        return Array(lines[(first + 1)..<last])
    }

    @discardableResult
    private func tmux(_ arguments: [String]) throws -> ProcessResult {
        let result = try yard.identity.run(
            "/usr/bin/tmux",
            arguments: ["-u", "-S", socket] + arguments,
            environment: ["PATH": "/usr/bin:/bin", "HOME": yard.path + "/home", "LANG": "C.UTF-8"],
            timeoutSeconds: 30
        )
        guard result.status == 0 else { throw TerminalError("tmux \(arguments): \(result.summary)") }
        return result
    }
}

/// The screen did not show what a test waited for.
struct TerminalError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
