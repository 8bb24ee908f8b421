import Domain
import Files
import Sandbox

extension StateDirectory {
    /// No Bailey takes this long from beginning to write a small file to renaming it.
    private static let unfinishedSecondsMax: Int64 = 60
    /// No probe of the sandbox goes this long without making a directory.
    private static let probeSecondsMax: Int64 = 3600
    /// What is kept here in files of their own, each replaced by rename.
    private static let places = ["projects", "trees", "masks", "live", LiveGrants.place]

    /// A file whose time says when this was last looked through.
    private static let stamp = Array("tidied".utf8)
    /// How often it is: the look costs more the more projects there are, and what it finds harms nobody meanwhile.
    private static let lookSeconds: Int64 = 3600

    /// Removes what killed processes left half written, unless somebody did so in the last hour.
    func removeLitterIfDue() throws(SystemError) {
        let now = Int64(SystemTime().unixMilliseconds() / 1000)
        if let last = try handle.statusIfPresent(Self.stamp)?.modified.seconds {
            // One that lies ahead was set by a clock that went wrong.
            guard !(now - Self.lookSeconds...now).contains(last) else { return }
        }
        try removeLitter(now)
        try FileContent.replace(Self.stamp, in: handle, with: [], durable: false)
    }

    /// Killed runs leave theirs.
    private func removeUnservedSockets() throws(SystemError) {
        guard let place = try handle.directoryIfPresent(at: [Array(LiveGrants.place.utf8)]) else { return }
        for entry in try place.entries() {
            let name = String(decoding: entry.name, as: UTF8.self)
            // One that cannot be asked is looked at again the next time.
            if RunID(name) != nil { try? ControlSocket.removeIfUnserved(name, in: place) }
        }
    }

    /// Nobody holds a lock on all of this, so the age decides.
    private func removeLitter(_ now: Int64) throws(SystemError) {
        try FileContent.removeUnfinished(in: handle, olderThanSeconds: Self.unfinishedSecondsMax)
        for place in Self.places {
            guard let directory = try handle.directoryIfPresent(at: [Array(place.utf8)]) else { continue }
            try FileContent.removeUnfinished(in: directory, olderThanSeconds: Self.unfinishedSecondsMax)
        }
        try removeUnservedSockets()
        for entry in try handle.entries() where entry.name.starts(with: SandboxProbe.namePrefix.utf8) {
            guard let status = try handle.statusIfPresent(entry.name),
                status.changed.seconds < now - Self.probeSecondsMax
            else { continue }
            try handle.removeTree(entry.name)
        }
    }
}
