import Foundation
import TestSupport

/// What a command at a terminal leaves there for Bailey's question, or for the shell that comes back.
extension ShellAttack {
    /// The line that `probe screen` prints, as KEY=VALUE words.
    private struct Screen {
        let words: [String: String]

        init(_ result: ProcessResult) {
            let line = result.stdout.split(separator: "\n").first ?? ""
            let pairs = line.split(separator: " ").map { $0.split(separator: "=", maxSplits: 1).map(String.init) }
            words = Dictionary(pairs.filter { $0.count == 2 }.map { ($0[0], $0[1]) }) { $1 }
        }

        /// True if the terminal is not as it was.
        func isSpoilt(_ check: String) -> Bool? {
            switch check {
            case "typed": words["typed"].map { $0 != "0" }
            case "modes", "size": words[check].map { $0 == "changed" }
            default: nil
            }
        }
    }

    func screenFindings(_ row: AttackRow) throws -> (wall: AttackFinding, control: AttackFinding) {
        row.outside == "asked" ? try questionFindings(row) : try terminalFindings(row)
    }

    private func terminalFindings(_ row: AttackRow) throws -> (wall: AttackFinding, control: AttackFinding) {
        func finding(_ result: ProcessResult) -> AttackFinding {
            guard let isSpoilt = Screen(result).isSpoilt(row.outside) else {
                return AttackFinding(verdict: .error, detail: result.summary)
            }
            return AttackFinding(verdict: isSpoilt ? .through : .refused, detail: "at the terminal: \(result.stdout)")
        }
        let snippet = ["/bin/sh", "-c", row.inside, "sh"]
        let project = try prepare("wall-", row, canary: yard.canary)
        let wall = try yard.wall(snippet, in: project, options: [], wrapper: [yard.probe, "screen"])
        let outside = try prepare("outside-", row, canary: yard.canary)
        return (finding(wall), finding(try yard.outside([yard.probe, "screen"] + snippet, in: outside)))
    }

    /// A change and a bait: the question must come, and stay without an answer until a person gives one. Outside, a
    /// prompt as programs have them takes the bait.
    private func questionFindings(_ row: AttackRow) throws -> (wall: AttackFinding, control: AttackFinding) {
        let project = try prepare("wall-", row, canary: yard.canary)
        let before = try yard.listing(project)
        let snippet = ["/bin/sh", "-c", "echo more >> notes.txt; " + row.inside, "sh"]
        let result = try yard.wall(snippet, in: project, options: [], wrapper: [yard.probe, "screen"])
        let isAsked = Screen(result).words["asked"] == "yes"
        let isApplied = try yard.listing(project) != before
        let wall = AttackFinding(
            verdict: isApplied ? .through : isAsked ? .refused : .error,
            detail: isApplied ? "the bait was applied" : isAsked ? "asked, and a person answered" : result.summary
        )
        let outside = try prepare("outside-", row, canary: yard.canary)
        let prompt = "; sleep 1; head -c 5 | grep -q apply && : > taken"
        let naive = ["/bin/sh", "-c", row.inside + prompt, "sh"]
        _ = try yard.outside([yard.probe, "screen"] + naive, in: outside)
        let isTaken = FileManager.default.fileExists(atPath: outside + "/taken")
        let control = AttackFinding(
            verdict: isTaken ? .through : .refused,
            detail: isTaken ? "a plain prompt took the bait" : "EPERM a plain prompt did not take it"
        )
        return (wall, control)
    }
}
