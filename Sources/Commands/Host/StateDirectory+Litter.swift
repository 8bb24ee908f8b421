import Domain
import Files

extension StateDirectory {
    /// No Bailey takes this long from beginning to write a small file to renaming it.
    private static let unfinishedSecondsMax: Int64 = 60
    /// No probe of the sandbox goes this long without making a directory.
    private static let probeSecondsMax: Int64 = 3600
    /// What is kept here in files of their own, each replaced by rename.
    private static let places = ["projects", "trees", "masks", "live"]

    /// Removes what killed processes left half written. Nobody holds a lock on all of this, so the age decides.
    func removeLitter() throws(SystemError) {
        try FileContent.removeUnfinished(in: handle, olderThanSeconds: Self.unfinishedSecondsMax)
        for place in Self.places {
            guard let directory = try handle.directoryIfPresent(at: [Array(place.utf8)]) else { continue }
            try FileContent.removeUnfinished(in: directory, olderThanSeconds: Self.unfinishedSecondsMax)
        }
        let now = Int64(SystemTime().unixMilliseconds() / 1000)
        for entry in try handle.entries() where entry.name.starts(with: SandboxProbe.namePrefix.utf8) {
            guard let status = try handle.statusIfPresent(entry.name),
                status.changed.seconds < now - Self.probeSecondsMax
            else { continue }
            try handle.removeTree(entry.name)
        }
    }
}
