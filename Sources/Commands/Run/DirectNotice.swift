import Domain
import Workspace

/// What is said to the caller of a direct run, before and after.
enum DirectNotice {
    /// Findings that are printed; the record holds them all.
    private static let findingsMax = 20

    static func start(_ live: LiveSummary) -> String {
        "direct: changes are live, there is no gate and no undo. Guarded: "
            + count(live.sealed, "place", "places")
            + " read-only (git directories among them: \(live.gitDirectories)), "
            + count(live.count(.covered), "hidden place", "hidden places")
            + " covered. Not guarded: names that do not exist yet, new repositories, build scripts; "
            + "see docs/sandbox.md, \"Direct mode\""
    }

    /// What the gate would have stopped, loudly; nothing if it would not have stopped anything.
    static func end(_ report: LiveReport, run: RunID) -> [String] {
        var lines: [String] = []
        if !report.findings.isEmpty {
            lines.append(
                "warning: \(count(report.findings.count, "path", "paths")) in the project that the gate would have "
                    + "stopped appeared or changed during the run; look before you use the project:"
            )
        }
        for finding in report.findings.prefix(findingsMax) {
            lines.append("warning: \(finding.path): \(finding.reason) [\(finding.rule)]")
        }
        if report.findings.count > findingsMax {
            lines.append("warning: \(report.findings.count - findingsMax) more; see: bailey journal show \(run)")
        }
        if let path = report.incomplete {
            lines.append(
                "warning: the look at the project stopped at \(path): there is too much, or too deep, to judge"
            )
        }
        return lines
    }

    private static func count(_ number: Int, _ one: String, _ many: String) -> String {
        "\(number) \(number == 1 ? one : many)"
    }
}
