/// How one tree is brought into a sandbox's view: what the workspace prepares and the sandbox mounts.
package struct WorkspaceMount: Sendable, Equatable {
    package enum Source: Sendable, Equatable {
        /// A copy-on-write view. `lower` is the user's tree, `mask` a directory of whiteouts above it (nil if nothing
        /// is hidden), `layers` a directory on a writable file system that holds `upper` and `work`.
        case overlay(lower: String, mask: String?, layers: String)
        /// A private copy, bound read-write.
        case copy(directory: String)
        /// The user's tree itself, non-recursively. The guards are mounted over it in their order.
        case live(isReadOnly: Bool, guards: [WorkspaceGuard])
    }

    package let source: Source
    /// Where it appears inside: the same absolute path as outside.
    package let target: String
    /// Who owns the files of the tree outside: (user, group).
    package let ownerUserID: UInt32
    package let ownerGroupID: UInt32

    package init(source: Source, target: String, ownerUserID: UInt32, ownerGroupID: UInt32) {
        self.source = source
        self.target = target
        self.ownerUserID = ownerUserID
        self.ownerGroupID = ownerGroupID
    }
}
