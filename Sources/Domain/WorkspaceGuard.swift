/// A place in a live tree that is mounted over itself, so that a command cannot use it freely.
package struct WorkspaceGuard: Sendable, Hashable {
    package enum Kind: String, Sendable, CaseIterable {
        /// Neither it nor anything below it can be changed, removed, renamed or replaced.
        case sealed
        /// An empty thing lies over it: nobody inside sees what it holds.
        case covered
        /// A directory on the way to one of the others: it cannot be renamed, removed or replaced; its content is free.
        case pinned
    }

    package let path: RelativePath
    package let kind: Kind

    package init(_ kind: Kind, _ path: RelativePath) {
        self.path = path
        self.kind = kind
    }
}
