/// One tree of a workspace as it lies on the disk: the user's files, and beside them what the command made of them.
package struct WorkspaceTree: Sendable, Equatable {
    /// 0 is the project; others are git directories outside it.
    package let index: Int
    /// Absolute path of the user's tree; also where it appears inside.
    package let lower: String
    /// Absolute path of the overlay's upper directory, or of the copy. A changed path's new content lies here in both
    /// forms.
    package let changed: String
    package let isOverlay: Bool

    package init(index: Int, lower: String, changed: String, isOverlay: Bool) {
        self.index = index
        self.lower = lower
        self.changed = changed
        self.isOverlay = isOverlay
    }
}
