import Domain
import Files
import Glibc
import Workspace

/// The user's tree and the changed one, side by side. What cannot be reached without a symbolic link is not there.
final class TreeFiles {
    let tree: WorkspaceTree
    private let lower: Directory
    /// The root of the user's tree below `/`, as it is given and without links.
    private let roots: [RelativePath]
    private let changed: ChangedTree

    init(_ tree: WorkspaceTree) throws {
        self.tree = tree
        lower = try Directory(trustedPath: tree.lower)
        let path = Array(tree.lower.utf8)
        roots = [path, LinkChain(path).end ?? path].compactMap {
            RelativePath(bytes: GitPointer.withoutDots($0).dropFirst())
        }
        changed = try ChangedTree(tree)
    }

    func isInLower(_ path: RelativePath) throws -> Bool { try lowerStatus(path) != nil }

    func isInChanged(_ path: RelativePath) throws -> Bool {
        guard let status = try changedStatus(path) else { return false }
        return !status.isWhiteout
    }

    func isLowerDirectory(_ path: RelativePath) throws -> Bool { try lowerStatus(path)?.kind == .directory }

    func isDirectory(_ path: RelativePath) throws -> Bool {
        if try isLowerDirectory(path) { return true }
        return try changedStatus(path)?.kind == .directory
    }

    /// Nil for no directory. Throws beyond `entriesMax`.
    func lowerEntries(_ path: RelativePath, atMost entriesMax: Int) throws -> [Directory.Entry]? {
        try Self.unlessAbsent { () throws(SystemError) in
            try lower.directory(at: path.components).entries(atMost: entriesMax)
        }
    }

    func readLower(_ path: RelativePath, bytesMax: Int) throws -> [UInt8]? {
        try Self.unlessAbsent { () throws(SystemError) in
            guard try lower.status(at: path.components).kind == .file else { return nil }
            let file = try lower.open(at: path.components, flags: O_RDONLY | O_NONBLOCK | O_NOCTTY)
            return try FileContent.read(file, bytesMax: bytesMax)
        } ?? nil
    }

    /// Nil if there is no regular file, or not the content that was listed: what is judged must be what is applied.
    func readChanged(_ change: Change, bytesMax: Int) throws -> [UInt8]? {
        let content = try withChanged(change.path) { (file: borrowing Descriptor) throws in
            try FileContent.read(file, bytesMax: bytesMax)
        }
        guard let content, let listed = change.digest else { return content }
        return ContentHash.of(content) == listed ? content : nil
    }

    /// Opens a changed regular file; nil if there is none.
    func withChanged<Result>(_ path: RelativePath, _ body: (borrowing Descriptor) throws -> Result) throws -> Result? {
        guard let status = try changedStatus(path), status.kind == .file else { return nil }
        return try body(changed.open(path))
    }

    /// The path below this tree's root that an absolute path names; nil for one outside.
    func relative(_ absolute: [UInt8]) -> RelativePath? {
        guard let path = RelativePath(bytes: GitPointer.withoutDots(absolute).dropFirst()) else { return nil }
        return roots.lazy.compactMap { path.relative(to: $0) }.first
    }

    func lowerStatus(_ path: RelativePath) throws(SystemError) -> FileStatus? {
        try Self.unlessAbsent { () throws(SystemError) in try lower.status(at: path.components) }
    }

    private func changedStatus(_ path: RelativePath) throws(SystemError) -> FileStatus? {
        try Self.unlessAbsent { () throws(SystemError) in try changed.status(path) }
    }

    private static func unlessAbsent<Result>(_ body: () throws(SystemError) -> Result) throws(SystemError) -> Result? {
        do {
            return try body()
        } catch  where isAbsence(error) {
            return nil
        }
    }

    private static func isAbsence(_ error: SystemError) -> Bool {
        [ENOENT, ENOTDIR, ELOOP].contains(error.code)
    }
}
