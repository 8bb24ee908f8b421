import Foundation
import TestSupport

/// Code that a command leaves for git to run on the host.
extension ShellAttack {
    /// Plants behind the wall with everything harmless applied, and by hand outside; then a plain git command of the
    /// host runs in both. The planted code would make a file beside the project.
    func gitFindings(_ row: AttackRow) throws -> (wall: AttackFinding, control: AttackFinding) {
        let wall = try gitFinding(row, "wall-") { command, project in
            try yard.wall(command, in: project, options: ["--apply", "auto", "--json"], timeoutSeconds: 60)
        }
        let control = try gitFinding(row, "outside-") { try yard.outside($0, in: $1) }
        return (wall, control)
    }

    private func gitFinding(
        _ row: AttackRow,
        _ prefix: String,
        _ run: (_ command: [String], _ project: String) throws -> ProcessResult
    ) throws -> AttackFinding {
        let canary = yard.path + "/canary-" + prefix + row.id
        try copy(yard.canary, to: canary)
        let project = try prepare(prefix, row, canary: canary)
        let planted = try run(["/bin/sh", "-c", row.inside, "sh", canary], project)
        let triggered = try yard.outside(["/bin/sh", "-c", row.outside, "sh", canary], in: project)
        if FileManager.default.fileExists(atPath: canary + "/ran") {
            return AttackFinding(verdict: .through, detail: "git ran the planted code on the host")
        }
        let isHeld = planted.stdout.contains("\"state\":\"held\"")
        return AttackFinding(
            verdict: isHeld ? .refused : .error,
            detail: isHeld ? "held by the gate" : "\(planted.summary) then \(triggered.summary)"
        )
    }
}
