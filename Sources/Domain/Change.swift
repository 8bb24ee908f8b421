/// What happened to one path.
package enum ChangeKind: String, Sendable, CaseIterable {
    case created, changed, deleted
    /// Only the permission bits differ.
    case mode
}

/// What a directory entry is.
package enum FileKind: String, Sendable, CaseIterable {
    case file, directory, symlink, fifo, socket, device
}

/// One entry of a change set: a path below a tree's root and what the command left there.
package struct Change: Sendable, Hashable {
    /// Which tree: 0 is the project, others are git directories outside it.
    package let tree: Int
    package let path: RelativePath
    package let kind: ChangeKind
    /// What is there now; for a deletion, what was there.
    package let file: FileKind
    /// Bytes of the content now; 0 for anything but a file.
    package let size: UInt64
    /// Permission bits (07777) now; nil for a deletion.
    package let mode: UInt32?
    package let previousMode: UInt32?
    /// The target of a symbolic link.
    package let linkTarget: [UInt8]?
    /// Nil where it does not matter: anything but a file.
    package let isText: Bool?
    /// SHA-256 of the content; nil for anything but a file that is there.
    package let digest: Digest?

    package init(
        tree: Int = 0,
        path: RelativePath,
        kind: ChangeKind,
        file: FileKind,
        size: UInt64 = 0,
        mode: UInt32? = nil,
        previousMode: UInt32? = nil,
        linkTarget: [UInt8]? = nil,
        isText: Bool? = nil,
        digest: Digest? = nil
    ) {
        self.tree = tree
        self.path = path
        self.kind = kind
        self.file = file
        self.size = size
        self.mode = mode
        self.previousMode = previousMode
        self.linkTarget = linkTarget
        self.isText = isText
        self.digest = digest
    }
}

/// A gate rule's word on one change.
package struct GateFinding: Sendable, Hashable {
    package let tree: Int
    package let path: RelativePath
    package let rule: RuleID
    /// `note`, `ask` or `deny`; a change without a finding is allowed.
    package let level: Verdict
    package let reason: String

    package init(tree: Int = 0, path: RelativePath, rule: RuleID, level: Verdict, reason: String) {
        self.tree = tree
        self.path = path
        self.rule = rule
        self.level = level
        self.reason = reason
    }
}

/// Why a change can no longer be applied to the tree it was made from.
package struct Conflict: Sendable, Hashable {
    package enum Cause: String, Sendable, CaseIterable {
        /// The path's content or mode was changed outside while the command ran or since.
        case changedOutside = "changed-outside"
        case appearedOutside = "appeared-outside"
        case vanishedOutside = "vanished-outside"
        /// The change touches a hidden path, or removes or replaces a directory above one.
        case maskedPath = "masked-path"
    }

    package let tree: Int
    package let path: RelativePath
    package let cause: Cause

    package init(tree: Int = 0, path: RelativePath, cause: Cause) {
        self.tree = tree
        self.path = path
        self.cause = cause
    }
}
