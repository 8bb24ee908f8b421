import Domain
import Files

/// One run's place below `.bailey/runs`: its journal, its raw action, its layers.
struct RunDirectory: ~Copyable {
    let run: RunID
    let path: String
    let handle: Directory

    /// What its directory of layers and stored files is called.
    static let workspaceName = Array("workspace".utf8)

    /// Makes the directory under a name that nobody looks at; ``publish(in:)`` gives it its own. In between its lock is
    /// taken, so that no other Bailey ever takes a run that is just beginning for one that was left behind.
    static func create(_ run: RunID, in project: borrowing ProjectDirectory) throws -> RunDirectory {
        let runs = try project.runs()
        let name = Array((unpublished + run.rawValue).utf8)
        try runs.makeDirectory(name, mode: 0o700)
        return RunDirectory(run: run, path: path(run, project), handle: try runs.directory(name))
    }

    func publish(in project: borrowing ProjectDirectory) throws {
        let runs = try project.runs()
        let name = Array(run.rawValue.utf8)
        try runs.rename(Array(Self.unpublished.utf8) + name, to: runs, name, rule: .failIfPresent)
        // Before the first event that anybody could be told of.
        try runs.synchronize()
        CrashPoint.reached("run directory made")
    }

    /// Takes a run away that has not begun.
    func remove(from project: borrowing ProjectDirectory) throws {
        try project.runs().removeTree(Array(run.rawValue.utf8))
    }

    /// Takes a whole run away, in one step for everybody who looks: half of one would look like damage. The caller has
    /// its lock.
    func prune(from project: borrowing ProjectDirectory) throws {
        let runs = try project.runs()
        let name = Array((Self.setAside + run.rawValue).utf8)
        try runs.rename(Array(run.rawValue.utf8), to: runs, name, rule: .failIfPresent)
        try runs.synchronize()
        CrashPoint.reached("run set aside")
        try Self.locked(runs, wait: true) { (runs) in try runs.removeTree(name) }
    }

    /// Takes away what the run worked on; its journal stays.
    func removeWorkspace() throws { try handle.removeTree(Self.workspaceName) }

    static func open(_ run: RunID, in project: borrowing ProjectDirectory) throws -> RunDirectory {
        let runs = try project.runs()
        return RunDirectory(
            run: run,
            path: path(run, project),
            handle: try runs.directory(Array(run.rawValue.utf8))
        )
    }

    private static func path(_ run: RunID, _ project: borrowing ProjectDirectory) -> String {
        project.path + "/runs/" + run.rawValue
    }

    /// All runs of a project, oldest first.
    static func all(in project: borrowing ProjectDirectory) throws -> [RunID] {
        let runs = try project.runs()
        return try runs.entries().compactMap { RunID(String(decoding: $0.name, as: UTF8.self)) }
            .sorted { $0.rawValue < $1.rawValue }
    }

    /// The run that a word means: an id, an unambiguous prefix of one, or `last`.
    static func find(_ word: String, in project: borrowing ProjectDirectory) throws -> RunID {
        let runs = try all(in: project)
        if word == "last" {
            guard let last = runs.last else {
                throw CommandError(ExitStatus.usage, "find the last run: this project has none")
            }
            return last
        }
        let matches = runs.filter { $0.rawValue == word || $0.rawValue.hasPrefix(word) }
        if let exact = matches.first(where: { $0.rawValue == word }) { return exact }
        switch matches.count {
        case 1: return matches[0]
        case 0:
            throw CommandError(
                ExitStatus.usage,
                "find run \(Printable.text(word)): no run of this project begins like that",
                hint: "`bailey runs list` shows them."
            )
        default:
            throw CommandError(
                ExitStatus.usage,
                "find run \(Printable.text(word)): \(matches.count) runs begin like that",
                hint: "Write more of the id: " + matches.prefix(4).map(\.rawValue).joined(separator: ", ")
            )
        }
    }
}
