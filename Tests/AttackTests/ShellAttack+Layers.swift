import Foundation
import TestSupport

/// A machine on which a part of the wall cannot be had: Bailey refuses by name, or does with all it needs.
extension ShellAttack {
    private static let token = "command-was-run"

    func layerFindings(_ row: AttackRow) throws -> (wall: AttackFinding, control: AttackFinding) {
        let project = try prepare("wall-", row, canary: yard.canary)
        let whole = try start([], in: project)
        let isWhole = whole.status == 0 && whole.stderr.contains(Self.token)
        let control = AttackFinding(
            verdict: isWhole ? .through : .error,
            detail: isWhole ? "runs where nothing is missing" : whole.summary
        )
        let result = try start(["/bin/sh", "-c", row.options, yard.probe], in: project)
        let first = result.stderr.split(separator: "\n").first.map(String.init) ?? ""
        if result.stderr.contains(Self.token) {
            let isSame = Self.layers(result) == Self.layers(whole)
            let detail = isSame ? "needs it not: runs with every layer" : "ran without \(row.attempt): \(result.stdout)"
            return (AttackFinding(verdict: isSame ? .private : .through, detail: detail), control)
        }
        let isNamed = result.status == 125 && result.stderr.contains(row.inside)
        return (
            AttackFinding(verdict: isNamed ? .refused : .error, detail: "125 \(isNamed ? first : result.summary)"),
            control
        )
    }

    private func start(_ wrapper: [String], in project: String) throws -> ProcessResult {
        let command = ["/bin/sh", "-c", "echo \(Self.token)"]
        return try yard.wall(command, in: project, options: ["--apply", "never", "--json"], wrapper: wrapper)
    }

    private static func layers(_ result: ProcessResult) -> Substring? {
        guard let start = result.stdout.range(of: "\"layers\":[") else { return nil }
        return result.stdout[start.upperBound...].prefix { $0 != "]" }
    }
}
