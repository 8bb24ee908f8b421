import Foundation
import TestSupport

/// A campaign's results as a file, for `script/abuse` to print: one line per row, fields set apart by tabs.
struct AttackReport {
    let identity: TestIdentity
    let results: [String: AttackResult]

    /// Writes `root.tsv` or `user.tsv` into the directory that `BAILEY_ABUSE_RESULTS` names, if it names one.
    func write() throws {
        guard let directory = ProcessInfo.processInfo.environment["BAILEY_ABUSE_RESULTS"] else { return }
        let lines = AttackRow.tried.compactMap { results[$0.id] }.map(line)
        let file = directory + "/" + (identity == .root ? "root.tsv" : "user.tsv")
        try (lines.joined(separator: "\n") + "\n").write(toFile: file, atomically: true, encoding: .utf8)
    }

    private func line(_ result: AttackResult) -> String {
        let state = result.isHeld ? (result.isControlled ? "held" : result.isMoot ? "moot" : "unproven") : "REACHED"
        let fields = [
            result.row.id, state, result.wall.verdict.rawValue, result.wall.detail, result.control.verdict.rawValue,
            result.control.detail, String(Int(result.seconds * 1000)),
        ]
        return fields.map { $0.replacing("\t", with: " ").replacing("\n", with: " ") }.joined(separator: "\t")
    }
}
