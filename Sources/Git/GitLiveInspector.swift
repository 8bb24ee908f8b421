package import Domain
import Files
package import Workspace

/// Says of a live tree what git would run or read there.
package struct GitLiveInspector: LiveInspector {
    private let userConfigurations: [[UInt8]]
    private let home: String?

    /// - Parameters:
    ///   - userConfigurations: the content of the user's own git configuration files.
    ///   - home: for paths that begin with `~/`.
    package init(userConfigurations: [[UInt8]], home: String?) {
        self.userConfigurations = userConfigurations
        self.home = home
    }

    package func isGitDirectory(holding names: Set<[UInt8]>) -> Bool {
        GitDirectories.isShape { names.contains(Array($0.utf8)) }
    }

    package func isGitName(_ name: [UInt8]) -> Bool { GitName.isGit(name) }

    package func pointedPlaces(
        worktrees: [RelativePath],
        links: [RelativePath],
        in tree: WorkspaceTree
    ) throws -> [PointedPlace] {
        let (leading, files) = try leading(worktrees, tree)
        var linked = PointedPaths(files: files, home: home)
        for link in links {
            try linked.add(Array(tree.lower.utf8) + [UInt8(ascii: "/")] + link.bytes, source: link.description)
        }
        return (leading.flatMap(\.places) + linked.places).map { PointedPlace(path: $0.path, isExact: $0.isExact) }
    }

    package func findings(_ changes: [Change], worktrees: [RelativePath], in tree: WorkspaceTree) -> [GateFinding] {
        do {
            let leading = try leading(worktrees, tree).0
            return changes.compactMap { change in
                let source = leading.lazy.compactMap { $0.source(leadingTo: change) }.first
                return source.map { GitRule.configured.finding(change, detail: $0) }
            }
        } catch {
            let reason = (error as? any UserFacingError)?.message ?? Printable.text("\(error)")
            return [GitRule.unreadable.finding(Change(path: .root, kind: .changed, file: .directory), detail: reason)]
        }
    }

    private func leading(
        _ worktrees: [RelativePath],
        _ tree: WorkspaceTree
    ) throws -> (leading: [PlaceLookup], files: TreeFiles) {
        let directories = try GitDirectories([tree])
        let files = try directories.files(tree.index)
        let configured = ConfiguredPaths(directories, userConfigurations: userConfigurations, home: home)
        return (try configured.leading(worktrees: worktrees, files), files)
    }

    package func finding(newGitPath path: RelativePath, _ file: FileKind) -> GateFinding {
        let change = Change(path: path, kind: .created, file: file)
        return (file == .directory ? GitRule.newDirectory : GitRule.file).finding(change)
    }
}
