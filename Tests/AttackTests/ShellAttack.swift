import Foundation
import TestSupport

/// Attempts on the commit gate: a snippet changes a project, Bailey is told to apply what is harmless, and the host's
/// tree must be what it was.
struct ShellAttack {
    let yard: AttackYard
    private let template: String

    init(yard: AttackYard) throws {
        self.yard = yard
        template = yard.path + "/template"
        try yard.makeProject(template)
        // Without this, every row would pass because nothing is ever applied.
        let fields = ["harmless", "gate", "", "gate", "shell", "through", "-", "echo three > source/new.txt", "tree"]
        let harmless = try inside(AttackRow(line: fields.joined(separator: "\t")))
        guard harmless.verdict == .through else {
            throw AttackError("apply a harmless change, so that a held one means something: \(harmless)")
        }
    }

    func findings(_ row: AttackRow) throws -> (wall: AttackFinding, control: AttackFinding) {
        (try inside(row), try outside(row))
    }

    private func inside(_ row: AttackRow) throws -> AttackFinding {
        let check = row.outside
        let project = try prepare("wall-", row, canary: yard.canary)
        let before = try state(project, canary: yard.canary, check: check)
        let command = ["/bin/sh", "-c", row.inside, "sh", yard.canary, "wall", yard.marker]
        let result = try yard.wall(command, in: project, options: ["--apply", "auto", "--json"], timeoutSeconds: 60)
        let summary = "status \(result.status) \(result.stdout.prefix(600)) \(result.stderr.prefix(400))"
        guard try state(project, canary: yard.canary, check: check) == before else {
            let isNoted = try row.expected == .noted && isNamed(check, inRecordsOf: project)
            return AttackFinding(verdict: isNoted ? .private : .through, detail: isNoted ? "noted: \(check)" : summary)
        }
        // Where a refusal is expected, Bailey may well refuse to start in such a project.
        let isBroken = row.expected != .refused && [125, 126, 127].contains(result.status)
        if result.timedOut || isBroken { return AttackFinding(verdict: .error, detail: summary) }
        let isHeld = result.stdout.contains("\"state\":\"held\"")
        return AttackFinding(verdict: .refused, detail: isHeld ? "held by the gate" : summary)
    }

    private func outside(_ row: AttackRow) throws -> AttackFinding {
        let canary = yard.path + "/canary-" + row.id
        try copy(yard.canary, to: canary)
        let project = try prepare("outside-", row, canary: canary)
        let before = try state(project, canary: canary, check: row.outside)
        let command = ["/bin/sh", "-c", row.inside, "sh", canary, "outside", yard.marker]
        let result = try yard.outside(command, in: project)
        let isChanged = try state(project, canary: canary, check: row.outside) != before
        return AttackFinding(
            verdict: isChanged ? .through : .error,
            detail: isChanged ? "changed the copy" : "the snippet changes nothing: \(result.summary)"
        )
    }

    /// True if a run's journal names the gate's rule.
    private func isNamed(_ rule: String, inRecordsOf project: String) throws -> Bool {
        let runs = project + "/.bailey/runs"
        return try FileManager.default.contentsOfDirectory(atPath: runs).contains { run in
            let journal = FileManager.default.contents(atPath: runs + "/" + run + "/journal/journal.jsonl") ?? Data()
            return String(decoding: journal, as: UTF8.self).contains("\"\(rule)\"")
        }
    }

    /// What the row must leave alone.
    private func state(_ project: String, canary: String, check: String) throws -> String {
        switch check {
        case "canary": return try yard.listing(canary)
        case "bailey":
            let isForged = FileManager.default.fileExists(atPath: project + "/.bailey/forged")
            return try yard.listing(project) + "\n\(isForged)"
        case "content":
            let script = "find \"$1\" -type f ! -name inherited.txt -exec sha256sum {} + | sort"
            return try ProcessRunner.run("/bin/sh", arguments: ["-c", script, "sh", canary]).stdout
        case "attributes": return try listXattrs(project)
        case "size":
            return try ProcessRunner.run("/usr/bin/find", arguments: [project, "-size", "+1G"]).stdout
        default: return try yard.listing(project) + "\n" + yard.listing(canary)
        }
    }

    /// The names of all extended attributes in the tree; what is Bailey's own is left out.
    private func listXattrs(_ project: String) throws -> String {
        let script = """
            import os, sys
            for top, directories, files in os.walk(sys.argv[1]):
                directories[:] = [name for name in directories if name != ".bailey"]
                for name in sorted(directories + files):
                    print(name, os.listxattr(os.path.join(top, name), follow_symlinks=False))
            """
        return try ProcessRunner.run("/usr/bin/python3", arguments: ["-c", script, project]).stdout
    }

    /// A copy of the template, with what somebody planted in it before Bailey saw it.
    func prepare(_ prefix: String, _ row: AttackRow, canary: String) throws -> String {
        let target = yard.path + "/" + prefix + row.id
        try copy(template, to: target)
        guard !row.options.isEmpty, row.method != .layer else { return target }
        let result = try yard.outside(["/bin/sh", "-c", row.options, "sh", canary, "prepare", yard.marker], in: target)
        guard result.status == 0 else { throw AttackError("prepare \(row.id): \(result.summary)") }
        return target
    }

    func copy(_ source: String, to target: String) throws {
        let result = try yard.outside(["/bin/cp", "-a", source, target], in: yard.path)
        guard result.status == 0 else { throw AttackError("copy \(source): \(result.summary)") }
    }
}
