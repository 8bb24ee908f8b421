import Glibc

extension FileContent {
    /// How the names begin under which ``replace(_:in:with:mode:durable:)`` and its like write before they rename.
    private static let unfinishedMark = Array(".new.".utf8)

    /// Removes what a killed process had begun to write beside its place and not renamed yet. Call it where nobody else
    /// can be writing in the directory, or with an age that no living writer reaches.
    package static func removeUnfinished(
        in directory: borrowing Directory,
        olderThanSeconds ageSeconds: Int64? = nil
    ) throws(SystemError) {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        for entry in try directory.entries() where entry.name.contains(unfinishedMark) {
            guard let status = try directory.statusIfPresent(entry.name) else { continue }
            if let ageSeconds, status.changed.seconds > Int64(now.tv_sec) - ageSeconds { continue }
            try directory.removeTree(entry.name)
        }
    }
}
