/// The fixed limits of this module. What an operator may set is in `ResourceLimits`.
package enum WorkspaceLimits {
    /// Levels of directories below a tree's root that are walked: one open descriptor each, and far beyond what real
    /// projects have.
    package static let depthMax = 256
    /// Entries of one user's tree that are walked at start.
    package static let treeEntriesMax = 10_000_000
    /// Bytes of a file that are searched for a private key's first line.
    package static let privateKeyBytesMax = 65_536
    /// Bytes of a file that are searched for NUL to tell binary from text.
    package static let textProbeBytes = 8_192
    /// A directory that changed less than this before the walk may change again within the same clock tick.
    package static let settledMilliseconds: UInt64 = 2_000
    /// Bytes of a stored index, plan or change set that are read back.
    package static let storedBytesMax = 1 << 30
    /// Trees of one workspace: the project and git directories outside it.
    package static let treesMax = 8
    /// Places of a live tree that are mounted over themselves: each takes the kernel some 20 microseconds at the start
    /// and at the end, and a directory that is pinned cannot be renamed.
    package static let guardsMax = 4096
    /// Bytes of their paths together: they travel in the launch plan.
    package static let guardBytesMax = 4 << 20
    /// A path that the kernel resolves at once: PATH_MAX with its NUL.
    package static let pathBytesMax = 4096
    /// Changed paths of a live tree that are judged after a run.
    package static let liveChangesMax = 200_000
    /// Places that links with the names of settings lead to, and entries of the directories among them that are looked
    /// at for more links: beyond, the gate asks about the whole set.
    package static let linkedPlacesMax = 10_000
    package static let linkedEntriesMax = 20_000
    /// How long an apply waits for another one to end.
    package static let lockWaitSeconds = 30
    /// Mask layers that nobody uses are kept up to this number: every change of a directory above a hidden path makes
    /// another.
    package static let masksMax = 32
    /// Mask layers that nobody used for this long are removed.
    package static let maskAgeSecondsMax: Int64 = 24 * 3600
}
