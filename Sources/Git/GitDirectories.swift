package import Domain
import Files
package import Workspace

/// One git directory in a workspace.
package struct GitDirectory: Sendable, Hashable {
    package let tree: Int
    /// Its path below the tree's root.
    package let path: RelativePath
    /// False for one that the command made, in whole or in part.
    package let isInLower: Bool
    /// True for the private part of a linked working tree: it has no objects of its own.
    package let isLinkedWorktree: Bool
}

/// Finds git directories: whatever holds `HEAD` and `commondir` (what the `.git` file of a linked working tree names),
/// or `objects` and `refs` beside anything that git obeys, and whatever is called `.git`. `HEAD` is no condition for
/// the second: git does not ask for it where a `commondir` file points, while it accepts no such place without
/// `objects` and `refs`. At any depth, under any name, in the user's tree and the changed one taken together: what is a
/// git directory in either, or only in both at once, is one.
package final class GitDirectories {
    private let trees: [Int: TreeFiles]
    private var known: [TreePath: GitDirectory?] = [:]

    package init(_ trees: [WorkspaceTree]) throws {
        self.trees = Dictionary(uniqueKeysWithValues: try trees.map { ($0.index, try TreeFiles($0)) })
    }

    /// The innermost git directory that holds `path`, the path itself included.
    package func enclosing(_ path: RelativePath, tree: Int) throws -> GitDirectory? {
        var candidate = path
        while true {
            if let found = try gitDirectory(at: candidate, tree: tree) { return found }
            if candidate.isRoot { return nil }
            candidate = candidate.parent
        }
    }

    /// The git directory at exactly this path.
    package func gitDirectory(at path: RelativePath, tree: Int) throws -> GitDirectory? {
        let key = TreePath(tree: tree, path: path)
        if let answer = known[key] { return answer }
        let answer = try look(at: path, tree: tree)
        known[key] = .some(answer)
        return answer
    }

    /// The first git directory at or below a directory of the user's tree; nil if there is none.
    package func first(below path: RelativePath, tree: Int) throws -> RelativePath? {
        guard let files = trees[tree] else { throw GitError(.unreadable, "look for git directories: no such tree") }
        var waiting = [path]
        var left = Limits.entriesMax
        while let next = waiting.popLast() {
            guard let entries = try files.lowerEntries(next, atMost: left) else { continue }
            left -= entries.count
            let names = Set(entries.map(\.name))
            if Self.isShape({ names.contains(Array($0.utf8)) }) || next.name.map(GitName.isGit) == true { return next }
            for entry in entries {
                guard let child = next.appending(entry.name) else { continue }
                if GitName.isGit(entry.name) { return child }
                if entry.kind == .directory || entry.kind == nil { waiting.append(child) }
            }
        }
        return nil
    }

    /// The files of one tree.
    func files(_ tree: Int) throws -> TreeFiles {
        guard let files = trees[tree] else { throw GitError(.unreadable, "inspect a change: no such tree") }
        return files
    }

    /// Bounds on one search.
    private enum Limits { static let entriesMax = 2_000_000 }

    private struct TreePath: Hashable {
        let tree: Int
        let path: RelativePath
    }

    private func look(at path: RelativePath, tree: Int) throws -> GitDirectory? {
        let files = try files(tree)
        func has(_ name: String, lowerOnly: Bool) throws -> Bool {
            guard let path = path.appending(Array(name.utf8)) else { return false }
            return try files.isInLower(path) || (!lowerOnly && files.isInChanged(path))
        }
        let isCalledGit = path.name.map(GitName.isGit) ?? false
        let isWhole = try Self.isShape { try has($0, lowerOnly: false) }
        guard isWhole || isCalledGit else { return nil }
        // A file called `.git` holds nothing; it is judged by its name.
        if isCalledGit, !isWhole, try !files.isDirectory(path) { return nil }
        let isInLower =
            try Self.isShape { try has($0, lowerOnly: true) } || (isCalledGit && files.isLowerDirectory(path))
        return GitDirectory(
            tree: tree,
            path: path,
            isInLower: isInLower,
            isLinkedWorktree: try has("commondir", lowerOnly: false)
        )
    }

    static func isShape(_ has: (String) throws -> Bool) rethrows -> Bool {
        if try has("HEAD") && has("commondir") { return true }
        guard try has("objects") && has("refs") else { return false }
        return try ["HEAD", "config", "config.worktree", "hooks", "worktrees", "modules"].contains(where: has)
    }
}
