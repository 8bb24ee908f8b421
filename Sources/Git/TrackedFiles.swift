package import Domain
package import Files
import Glibc
import Synchronization

/// Says of a sensitive file whether git shows it anyway: its bytes are those of its entry in the index.
///
/// Hiding such a file would protect nothing, because its object is readable, and would make `git add -A` commit a
/// deletion. An index is read only when the first question needs it. Any doubt is a no, so that the file stays hidden.
package final class TrackedFiles: Sendable {
    /// Bounds on what is read.
    private enum Limits {
        /// A sensitive file is small; a larger one stays hidden.
        static let fileBytesMax: UInt64 = 64 << 20
    }

    private struct Repository: Sendable {
        let format: ObjectFormat
        /// In git's order, by path: a table of them would cost more to make than all questions to answer.
        let entries: [GitIndex.Entry]

        /// The merged entry of a path; nil also in an index that is not in order, whose files stay hidden.
        func entry(_ path: [UInt8]) -> GitIndex.Entry? {
            var (low, high) = (0, entries.count)
            while low < high {
                let middle = (low + high) / 2
                if entries[middle].path.lexicographicallyPrecedes(path) { low = middle + 1 } else { high = middle }
            }
            guard low < entries.count, entries[low].path == path, entries[low].stage == 0 else { return nil }
            return entries[low]
        }
    }

    private let projectPath: String
    /// By the root of a working tree; nil for one whose index is not understood.
    private let repositories = Mutex<[RelativePath: Repository?]>([:])

    /// - Parameter projectPath: absolute, for git directories outside the project that a `.git` file names.
    package init(projectPath: String) { self.projectPath = projectPath }

    /// - Parameter root: the project's directory, in which `path` is looked up.
    package func isTrackedUnchanged(_ path: RelativePath, in root: borrowing Directory) -> Bool {
        do {
            guard let worktree = try enclosingWorktree(of: path, in: root), let name = path.relative(to: worktree),
                let repository = repository(at: worktree, in: root), let entry = repository.entry(name.bytes),
                entry.mode & 0o170000 == 0o100000, !entry.intendsToAdd
            else { return false }
            return try Self.blobName(of: path, in: root, format: repository.format) == entry.object
        } catch {
            return false
        }
    }

    /// The nearest directory above that holds `.git`.
    private func enclosingWorktree(of path: RelativePath, in root: borrowing Directory) throws -> RelativePath? {
        var candidate = path
        while !candidate.isRoot {
            candidate = candidate.parent
            guard let git = candidate.appending(Array(".git".utf8)) else { return nil }
            if try root.statusIfPresent(git.bytes) != nil { return candidate }
        }
        return nil
    }

    private func repository(at worktree: RelativePath, in root: borrowing Directory) -> Repository? {
        if let known = repositories.withLock({ $0[worktree] }) { return known }
        let found = try? load(worktree, in: root)
        repositories.withLock { $0[worktree] = .some(found) }
        return found
    }

    private func load(_ worktree: RelativePath, in root: borrowing Directory) throws -> Repository? {
        guard let git = worktree.appending(Array(".git".utf8)) else { return nil }
        let absolute = GitPointer.resolve(String(decoding: worktree.bytes, as: UTF8.self), from: projectPath)
        let status = try root.status(git.bytes)
        var directory = absolute + "/.git"
        if status.kind == .file {
            let content = try FileContent.read(git.bytes, in: root, bytesMax: GitPointer.bytesMax)
            guard let named = GitPointer.gitDirectory(namedBy: content, in: absolute) else { return nil }
            directory = named
        } else if status.kind != .directory {
            return nil
        }
        guard let configuration = GitRepository.configuration(of: directory),
            let format = try GitConfigFile(configuration).objectFormat,
            let content = GitPointer.read(directory + "/index", bytesMax: GitIndex.Limits.bytesMax)
        else { return nil }
        return Repository(format: format, entries: try GitIndex(content, format: format).entries)
    }

    /// The name that git would give the file's content; nil for what is no plain file or changes while it is read.
    private static func blobName(
        of path: RelativePath,
        in root: borrowing Directory,
        format: ObjectFormat
    ) throws -> [UInt8]? {
        guard let status = try root.statusIfPresent(path.bytes), status.kind == .file,
            status.size <= Limits.fileBytesMax
        else { return nil }
        let file = try root.open(path.bytes, flags: O_RDONLY | O_NONBLOCK | O_NOCTTY)
        var hasher = ObjectHasher(format)
        hasher.update(Array("blob \(status.size)".utf8) + [0])
        var size: UInt64 = 0
        try FileContent.forEachChunk(file) { (chunk: UnsafeRawBufferPointer) throws(SystemError) in
            size += UInt64(chunk.count)
            guard size <= status.size else { throw SystemError("read", code: EFBIG) }
            hasher.update(chunk)
        }
        return size == status.size ? hasher.finish() : nil
    }
}
