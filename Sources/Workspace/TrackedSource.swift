package import Domain
package import Files

/// What a working tree's index says of one file.
package enum Tracking: UInt8, Sendable {
    /// It has no entry that a file's bytes could equal.
    case absent
    /// The file's bytes are those of its entry.
    case unchanged
    /// They are not.
    case changed
}

/// What answers about one working tree rest on, besides the file that is asked about.
package struct TrackingState: Sendable, Equatable {
    /// The identities of the files that were read: equal bytes mean the same files with the same content.
    package let identity: [UInt8]
    /// The latest ctime among them.
    package let changed: FileTime

    package init(identity: [UInt8], changed: FileTime) {
        self.identity = identity
        self.changed = changed
    }
}

/// Says of sensitive files of the project whether git shows them anyway. Implemented above.
package protocol TrackedSource: Sendable {
    /// What lies at a path now; nil if nothing does, or it cannot be told.
    func status(_ path: RelativePath) -> FileStatus?

    /// Nil if the answers about this working tree may not be kept.
    func state(of worktree: RelativePath) -> TrackingState?

    /// Nil in any doubt.
    func tracking(_ path: RelativePath, in worktree: RelativePath) -> Tracking?
}
