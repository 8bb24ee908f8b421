import Foundation
import TestSupport

/// The attempts that share one sandbox, and what the host looks like afterwards.
struct BatchAttack {
    private let wall: [String: AttackFinding]
    private let control: [String: AttackFinding]
    private let wallSummary: String

    /// - Parameter name: the directory of the attempts outside.
    init(yard: AttackYard, helper: HostHelper, control name: String) throws {
        let attempts = ["./probe", "all"] + yard.words + helper.words
        let before = try HostState(yard: yard, project: yard.project)
        let inside = try yard.wall(attempts, in: yard.project, wrapper: yard.temptations, timeoutSeconds: 180)
        wallSummary = "status \(inside.status), \(inside.stderr.prefix(400))"
        var wall = AttackFinding.parse(inside.stdout)
        let after = try HostState(yard: yard, project: yard.project)
        wall.merge(before.effects(after)) { $1 }

        let controlProject = yard.path + "/" + name
        try yard.makeProject(controlProject)
        let controlBefore = try HostState(yard: yard, project: controlProject)
        let outside = try yard.outside(
            attempts + ["control=1"],
            in: controlProject,
            wrapper: yard.temptations,
            timeoutSeconds: 180
        )
        var control = AttackFinding.parse(outside.stdout)
        control.merge(controlBefore.effects(try HostState(yard: yard, project: controlProject))) { $1 }
        self.wall = wall
        self.control = control
    }

    func findings(_ row: AttackRow) -> (wall: AttackFinding, control: AttackFinding) {
        let missing = AttackFinding(verdict: .error, detail: "no answer inside; the run ended with \(wallSummary)")
        let missingControl = AttackFinding(verdict: .error, detail: "no answer outside")
        return (wall[row.id] ?? missing, control[row.id] ?? missingControl)
    }
}

/// What attempts must leave alone on the host, at one moment.
private struct HostState {
    let canary: String
    let home: String
    let shared: [String]
    let inherited: String
    let project: String

    init(yard: AttackYard, project: String) throws {
        let inheritedFile = yard.canary + "/inherited.txt"
        let lines = try yard.listing(yard.canary).split(separator: "\n")
        canary = lines.filter { !$0.hasPrefix("inherited.txt") }.joined(separator: "\n")
        home = try yard.listing(yard.home)
        shared = ["/tmp", "/dev/shm"].flatMap { directory in
            ((try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? [])
                .filter { $0.hasPrefix("bailey-planted") && $0.contains(yard.nonce) }
        }
        inherited = try String(contentsOfFile: inheritedFile, encoding: .utf8)
        self.project = try yard.listing(project)
    }

    /// The rows that are judged by looking at the host.
    func effects(_ after: HostState) -> [String: AttackFinding] {
        func finding(_ isChanged: Bool, _ what: String) -> AttackFinding {
            AttackFinding(
                verdict: isChanged ? .through : .refused,
                detail: isChanged ? "changed: \(what)" : "unchanged: \(what)"
            )
        }
        return [
            "h02": finding(canary != after.canary || home != after.home, "canary and home"),
            "h03": finding(shared != after.shared, "shared directories"),
            "h04": finding(inherited != after.inherited, "the inherited file"),
            "h05": finding(project != after.project, "the project's tree"),
        ]
    }
}
