package import Domain

/// What somebody who understands git says of a tree that a command works on directly. Implemented above.
package protocol LiveInspector {
    /// True if a directory that holds these names is a git directory, or becomes one with little more.
    func isGitDirectory(holding names: Set<[UInt8]>) -> Bool
    /// True for `.git` and for what a forgiving file system takes for it.
    func isGitName(_ name: [UInt8]) -> Bool
    /// Places of the tree that the repositories with these working trees lead to by configuration or link, and those
    /// that the links lead to. They need not exist.
    func pointedPlaces(worktrees: [RelativePath], links: [RelativePath], in tree: WorkspaceTree) throws
        -> [PointedPlace]
    /// What git would do with changed paths outside its own directories, as far as the repositories with these working
    /// trees, which nobody inside could change, lead there.
    func findings(_ changes: [Change], worktrees: [RelativePath], in tree: WorkspaceTree) -> [GateFinding]
    /// What is said of a git directory, or of something called `.git`, that was not there before.
    func finding(newGitPath path: RelativePath, _ file: FileKind) -> GateFinding
}

/// A place that git's configuration or a link leads to.
package struct PointedPlace: Sendable, Hashable {
    package let path: RelativePath
    /// True where only the place itself counts: what lies below it is not led to.
    package let isExact: Bool

    package init(path: RelativePath, isExact: Bool) {
        self.path = path
        self.isExact = isExact
    }
}
