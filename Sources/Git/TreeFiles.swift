import Domain
import Files
import Glibc
import Workspace

/// The user's tree and the changed one, side by side. What cannot be reached without a symbolic link is not there.
final class TreeFiles {
    let tree: WorkspaceTree
    private let lower: Directory
    private let changed: Directory

    init(_ tree: WorkspaceTree) throws {
        self.tree = tree
        lower = try Directory(trustedPath: tree.lower)
        changed = try Directory(trustedPath: tree.changed)
    }

    func isInLower(_ path: RelativePath) throws -> Bool { try Self.status(path, in: lower) != nil }

    func isInChanged(_ path: RelativePath) throws -> Bool {
        guard let status = try Self.status(path, in: changed) else { return false }
        return !status.isWhiteout
    }

    func isLowerDirectory(_ path: RelativePath) throws -> Bool { try Self.status(path, in: lower)?.kind == .directory }

    func isDirectory(_ path: RelativePath) throws -> Bool {
        if try isLowerDirectory(path) { return true }
        return try Self.status(path, in: changed)?.kind == .directory
    }

    /// Nil for no directory. Throws beyond `entriesMax`.
    func lowerEntries(_ path: RelativePath, atMost entriesMax: Int) throws -> [Directory.Entry]? {
        try Self.unlessAbsent { () throws(SystemError) in
            try lower.directory(path.bytes).entries(atMost: entriesMax)
        }
    }

    func readLower(_ path: RelativePath, bytesMax: Int) throws -> [UInt8]? {
        try Self.unlessAbsent { () throws(SystemError) in
            guard let status = try lower.statusIfPresent(path.bytes), status.kind == .file else { return nil }
            return try FileContent.read(path.bytes, in: lower, bytesMax: bytesMax)
        } ?? nil
    }

    /// Nil if there is no regular file.
    func readChanged(_ path: RelativePath, bytesMax: Int) throws -> [UInt8]? {
        try withChanged(path) { (file: borrowing Descriptor) throws in try FileContent.read(file, bytesMax: bytesMax) }
    }

    /// Opens a changed regular file; nil if there is none.
    func withChanged<Result>(_ path: RelativePath, _ body: (borrowing Descriptor) throws -> Result) throws -> Result? {
        guard let status = try Self.status(path, in: changed), status.kind == .file else { return nil }
        let file = try changed.open(path.bytes, flags: O_RDONLY | O_NONBLOCK | O_NOCTTY)
        return try body(file)
    }

    /// The path below this tree's root that an absolute path names; nil for one outside.
    func relative(_ absolute: String) -> RelativePath? {
        guard let path = Self.fromRoot(absolute), let root = Self.fromRoot(tree.lower) else { return nil }
        return path.relative(to: root)
    }

    private static func fromRoot(_ absolute: String) -> RelativePath? {
        RelativePath(bytes: Array(GitPointer.resolve(absolute, from: "/").utf8.dropFirst()))
    }

    private static func status(_ path: RelativePath, in directory: borrowing Directory) throws(SystemError)
        -> FileStatus?
    {
        do {
            return try directory.status(path.bytes)
        } catch  where isAbsence(error) {
            return nil
        }
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
