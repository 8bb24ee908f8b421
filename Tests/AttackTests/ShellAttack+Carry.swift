import Foundation
import TestSupport

/// What one run leaves in its home or in the project for the next one.
extension ShellAttack {
    /// Two snippets one after the other; the first is given the marker, the second must not be able to say it.
    func carryFindings(_ row: AttackRow) throws -> (wall: AttackFinding, control: AttackFinding) {
        let wallProject = try prepare("wall-", row, canary: yard.canary)
        let wall = try carryFinding(row) { try yard.wall($0, in: wallProject) }
        let controlProject = try prepare("outside-", row, canary: yard.canary)
        let home = yard.path + "/home-" + row.id
        try copy(yard.home, to: home)
        let control = try carryFinding(row) { try yard.outside($0, in: controlProject, home: home) }
        return (wall, control)
    }

    private func carryFinding(_ row: AttackRow, _ run: ([String]) throws -> ProcessResult) throws -> AttackFinding {
        // Not the yard's own marker, which lies in the home from the beginning.
        let token = "carried-" + yard.nonce
        let first = try run(["/bin/sh", "-c", row.inside, "sh", token])
        let second = try run(["/bin/sh", "-c", row.outside + "; true"])
        if (second.stdout + second.stderr).contains(token) {
            return AttackFinding(verdict: .through, detail: "the next command met what this one had left")
        }
        guard first.status == 0, second.status == 0 else {
            return AttackFinding(verdict: .error, detail: "\(first.summary) then \(second.summary)")
        }
        return AttackFinding(verdict: .private, detail: "the next command started afresh")
    }
}
