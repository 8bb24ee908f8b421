import Domain
import Files
import Glibc

/// What killed processes leave among a project's runs. Every start asks for it, with as many runs as were ever kept
/// here: the directory is listed once, and of a run that is settled no more is asked than whether its mark is there.
extension RunDirectory {
    /// What a directory is called before its lock is taken.
    static var unpublished: String { ".new." }
    /// What a run is called that is being pruned.
    static var setAside: String { ".gone." }
    /// A directory that was not published for this long belongs to nobody.
    private static var unpublishedMillisecondsMax: UInt64 { 60_000 }

    /// Removes what was left between ``create(_:in:)`` and ``publish(in:)``, and what a prune that was killed had left
    /// of its runs.
    ///
    /// - Returns: the runs without the mark that there is nothing to recover, oldest first.
    static func removeLeftovers(
        in project: borrowing ProjectDirectory,
        nowUnixMilliseconds: UInt64
    ) throws -> [RunID] {
        let runs = try project.runs()
        let mark = Array("/".utf8) + SettledMark.name
        var unsettled: [RunID] = []
        var pruned: [[UInt8]] = []
        for entry in try runs.entries() {
            if entry.name.starts(with: RunID.prefix.utf8) {
                guard try !runs.isPresent(entry.name + mark) else { continue }
                if let run = RunID(String(decoding: entry.name, as: UTF8.self)) { unsettled.append(run) }
            } else if entry.name.starts(with: setAside.utf8) {
                pruned.append(entry.name)
            } else if isAbandoned(entry.name, nowUnixMilliseconds) {
                try runs.removeTree(entry.name)
            }
        }
        if !pruned.isEmpty {
            try locked(runs, wait: false) { (runs) in for name in pruned { try runs.removeTree(name) } }
        }
        return unsettled.sorted { $0.rawValue < $1.rawValue }
    }

    private static func isAbandoned(_ name: [UInt8], _ nowUnixMilliseconds: UInt64) -> Bool {
        guard name.starts(with: unpublished.utf8),
            let run = RunID(String(decoding: name.dropFirst(unpublished.utf8.count), as: UTF8.self)),
            let created = run.createdUnixMilliseconds
        else { return false }
        return nowUnixMilliseconds > created + unpublishedMillisecondsMax
    }

    /// One process at a time removes trees: two at once would trip over each other. Does nothing if somebody does it.
    static func locked(
        _ runs: borrowing Directory,
        wait: Bool,
        _ body: (borrowing Directory) throws -> Void
    ) throws {
        guard flock(runs.raw, LOCK_EX | (wait ? 0 : LOCK_NB)) == 0 else { return }
        defer { _ = flock(runs.raw, LOCK_UN) }
        try body(runs)
    }
}
