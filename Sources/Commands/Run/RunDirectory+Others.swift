import Domain
import Files

extension RunDirectory {
    /// Whether a run beside this one lives. Sandboxes of one project share caches, where they can meet and hand each
    /// other descriptors of files in their layers: one that lives may still write to what a dead one left. What begins
    /// later meets nobody who could have one.
    ///
    /// - Parameter bailey: the project's `.bailey`.
    static func othersLive(beside run: RunID, in bailey: String) throws -> Bool {
        let runs = try Directory(trustedPath: bailey).directory(ProjectDirectory.runsName)
        let mark = Array("/".utf8) + SettledMark.name
        for entry in try runs.entries() where entry.name.starts(with: RunID.prefix.utf8) {
            guard entry.name != Array(run.rawValue.utf8), try !runs.isPresent(entry.name + mark),
                let other = try runs.directoryIfPresent(at: [entry.name])
            else { continue }
            if try RunLock.isTaken(other) { return true }
        }
        return false
    }
}
