import Domain
import Workspace

/// The part of a change set that lies at the paths that somebody named.
struct ChangeChoice {
    private let paths: [RelativePath]

    /// - Parameter paths: absolute, or from the working directory; each lies in the project.
    init(_ paths: [String], _ session: borrowing Session) throws(CommandError) {
        var chosen: [RelativePath] = []
        for path in paths {
            let whole = path.hasPrefix("/") ? path : session.caller.workingDirectory + "/" + path
            guard let inside = Self.below(session.project.project, whole) else {
                throw CommandError(
                    ExitStatus.usage,
                    "show the changes at \(Printable.text(path)): it does not lie in \(session.project.project)",
                    hint: "Name a path in the project, from where you stand."
                )
            }
            chosen.append(inside)
        }
        self.paths = chosen
    }

    /// By the text alone: what a run created or deleted need not be there.
    private static func below(_ project: String, _ path: String) -> RelativePath? {
        var names: [Substring] = []
        for name in path.split(separator: "/") where name != "." {
            if name == ".." { _ = names.popLast() } else { names.append(name) }
        }
        guard let whole = RelativePath(names.joined(separator: "/")),
            let root = RelativePath(project.split(separator: "/").joined(separator: "/"))
        else { return nil }
        return whole.relative(to: root)
    }

    /// - Throws: if nothing was changed at one of the paths.
    func narrow(_ report: GateReport) throws(CommandError) -> GateReport {
        let changes = report.changeSet.changes
        for path in paths where !changes.contains(where: { $0.tree == 0 && $0.path.isWithin(path) }) {
            throw CommandError(
                ExitStatus.negative,
                "show the changes at \(path): \(report.changeSet.run) changed nothing there",
                hint: "`bailey changes show --names \(report.changeSet.run)` lists what it changed."
            )
        }
        func isChosen(_ path: RelativePath) -> Bool { paths.contains { path.isWithin($0) } }
        return GateReport(
            changeSet: ChangeSet(
                run: report.changeSet.run,
                changes: changes.filter { $0.tree == 0 && isChosen($0.path) }
            ),
            findings: report.findings.filter { isChosen($0.path) },
            conflicts: report.conflicts.filter { isChosen($0.path) }
        )
    }
}
