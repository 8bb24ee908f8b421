import Domain
import Files

/// One run's place below `.bailey/runs`: its journal, its raw action, its layers.
struct RunDirectory: ~Copyable {
    let run: RunID
    let path: String
    let handle: Directory

    static func create(_ run: RunID, in project: borrowing ProjectDirectory) throws -> RunDirectory {
        let runs = try project.handle.directory(Array("runs".utf8))
        try runs.makeDirectory(Array(run.rawValue.utf8), mode: 0o700)
        return try open(run, in: project)
    }

    static func open(_ run: RunID, in project: borrowing ProjectDirectory) throws -> RunDirectory {
        let runs = try project.handle.directory(Array("runs".utf8))
        return RunDirectory(
            run: run,
            path: project.path + "/runs/" + run.rawValue,
            handle: try runs.directory(Array(run.rawValue.utf8))
        )
    }

    /// All runs of a project, oldest first.
    static func all(in project: borrowing ProjectDirectory) throws -> [RunID] {
        let runs = try project.handle.directory(Array("runs".utf8))
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
