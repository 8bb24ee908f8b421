import Domain
import Files
import Journal

/// A run that was removed: all that is left of it is the word of the journal of authority.
struct PrunedRun {
    let run: RunID
    let time: String
    let actor: String

    /// Nil where no removed run is meant by the word, or several are.
    static func find(_ word: String, in project: borrowing ProjectDirectory) throws -> PrunedRun? {
        var reader = try JournalReader(.authority, in: project.handle)
        var found: [PrunedRun] = []
        while let line = try reader.next() {
            guard line.type == RecordType.runPruned.rawValue, let name = line.data["run"]?.stringValue,
                let run = RunID(name), name.hasPrefix(word)
            else { continue }
            found.append(PrunedRun(run: run, time: line.timestamp, actor: line.actor))
        }
        return found.first { $0.run.rawValue == word } ?? (found.count == 1 ? found[0] : nil)
    }

    var lines: [String] {
        [
            "run".padded(10) + run.rawValue, "state".padded(10) + "pruned",
            "pruned".padded(10) + "\(time) by \(actor); its journal went with it",
        ]
    }

    var json: JSONValue {
        .object([
            ("run", .string(run.rawValue)), ("state", .string("pruned")), ("pruned", .string(time)),
            ("by", .string(actor)),
        ])
    }
}
