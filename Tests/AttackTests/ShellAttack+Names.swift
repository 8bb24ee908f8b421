import Foundation
import TestSupport

/// Names that a terminal would act on, in everything that Bailey prints.
extension ShellAttack {
    private static let outputs = [
        ["changes", "show", "last"], ["changes", "show", "last", "--json"], ["changes", "list"],
        ["runs", "list"],
        ["runs", "show", "last"],
        ["runs", "show", "last", "--json"], ["journal", "show", "last"], ["journal", "events", "last"], ["doctor"],
        ["changes", "apply", "last", "--yes"],
    ]

    func nameFindings(_ row: AttackRow) throws -> (wall: AttackFinding, control: AttackFinding) {
        let command = ["/bin/sh", "-c", row.inside, "sh"]
        let project = try prepare("wall-", row, canary: yard.canary)
        var wall = AttackFinding(verdict: .refused, detail: "every name was printed escaped")
        let held = try yard.wall(command, in: project, options: ["--apply", "never"])
        let report = try yard.wall(command, in: project, options: ["--apply", "never", "--json"])
        var printed = [("run", held), ("run --json", report)]
        for words in Self.outputs {
            printed.append((words.joined(separator: " "), try yard.outside([yard.bailey] + words, in: project)))
        }
        let listing = printed.first { $0.0 == "changes show last" }?.1.stdout ?? ""
        if !listing.contains("created") {
            wall = AttackFinding(verdict: .error, detail: "no change is listed: \(held.summary)")
        }
        for (name, result) in printed {
            guard let danger = Self.danger(result.standardOutput) ?? Self.danger(result.standardError) else { continue }
            wall = AttackFinding(verdict: .through, detail: "\(name) printed \(danger)")
        }
        let outside = try prepare("outside-", row, canary: yard.canary)
        _ = try yard.outside(command, in: outside)
        let list = try yard.outside(["/bin/sh", "-c", "ls -lN; cat new.txt"], in: outside)
        let raw = Self.danger(list.standardOutput)
        let control = AttackFinding(verdict: raw == nil ? .error : .through, detail: raw ?? "ls prints nothing harmful")
        return (wall, control)
    }

    /// What a terminal would act on, or what is no text, in printed bytes.
    private static func danger(_ bytes: [UInt8]) -> String? {
        guard let text = String(validating: bytes, as: UTF8.self) else { return "bytes that are no text" }
        let scalar = text.unicodeScalars.first { scalar in
            switch scalar.properties.generalCategory {
            case .control: scalar != "\n"
            case .format, .lineSeparator, .paragraphSeparator: true
            default: false
            }
        }
        return scalar.map { "U+" + String($0.value, radix: 16) }
    }
}
