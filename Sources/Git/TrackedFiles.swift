package import Domain
package import Files
import Glibc
import Synchronization
package import Workspace

/// Says of a sensitive file whether git shows it anyway: its bytes are those of its entry in the index.
///
/// Hiding such a file would protect nothing, because its object is readable, and would make `git add -A` commit a
/// deletion. An index is read only when the first question needs it. Any doubt is a no, so that the file stays hidden.
package final class TrackedFiles: TrackedSource, Sendable {
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
    /// The project's directory; nil if it cannot be opened, and then nothing is known of any file.
    private let root: Directory?
    /// By the root of a working tree; nil for one whose index is not understood.
    private let repositories = Mutex<[RelativePath: Repository?]>([:])

    /// - Parameter projectPath: absolute, for git directories outside the project that a `.git` file names.
    package init(projectPath: String) {
        self.projectPath = projectPath
        root = try? Directory(trustedPath: projectPath)
    }

    package func isTrackedUnchanged(_ path: RelativePath) -> Bool {
        guard let worktree = enclosingWorktree(of: path) else { return false }
        return tracking(path, in: worktree) == .unchanged
    }

    package func status(_ path: RelativePath) -> FileStatus? { try? root?.status(path.bytes) }

    private func open(_ path: RelativePath) throws(SystemError) -> Descriptor {
        guard let file = try root?.open(path.bytes, flags: O_RDONLY | O_NONBLOCK | O_NOCTTY) else {
            throw SystemError("open", code: ENOENT, path: path.description)
        }
        return file
    }

    package func tracking(_ path: RelativePath, in worktree: RelativePath) -> Tracking? {
        guard let name = path.relative(to: worktree), let repository = repository(at: worktree) else { return nil }
        guard let entry = repository.entry(name.bytes), entry.mode & 0o170000 == 0o100000, !entry.intendsToAdd else {
            return .absent
        }
        guard let found = try? blobName(of: path, format: repository.format) else { return nil }
        return found == entry.object ? .unchanged : .changed
    }

    /// The identities of everything that is read to answer about a working tree: the `.git` file if it is one, what
    /// names the directory of the settings, the settings, and the index.
    package func state(of worktree: RelativePath) -> TrackingState? {
        guard let git = Self.gitName(in: worktree), let directory = gitDirectory(of: worktree), let own = status(git)
        else { return nil }
        let common = GitRepository.commonDirectory(of: directory)
        guard let settings = GitPointer.status(common + "/config"),
            let index = GitPointer.status(directory + "/index")
        else { return nil }
        var files = [settings, index]
        // A directory changes with every lock file in it; what counts in it is told by its own identity.
        if own.kind == .file { files.append(own) }
        if let pointer = GitPointer.status(directory + "/commondir") { files.append(pointer) }
        let words = [own.device, own.inode] + files.flatMap(Self.identity)
        let changed = files.map(\.changed).max() ?? settings.changed
        return TrackingState(identity: Array(directory.utf8) + [0] + words.flatMap(Self.bytes), changed: changed)
    }

    private static func identity(_ status: FileStatus) -> [UInt64] {
        [status.device, status.inode, status.size]
            + [status.modified, status.changed].flatMap { time in
                [UInt64(bitPattern: time.seconds), UInt64(bitPattern: time.nanoseconds)]
            }
    }

    private static func bytes(_ word: UInt64) -> [UInt8] { withUnsafeBytes(of: word.littleEndian) { Array($0) } }

    private static func gitName(in worktree: RelativePath) -> RelativePath? {
        worktree.appending(Array(".git".utf8))
    }

    /// The nearest directory above that holds `.git`.
    private func enclosingWorktree(of path: RelativePath) -> RelativePath? {
        var candidate = path
        while !candidate.isRoot {
            candidate = candidate.parent
            guard let git = Self.gitName(in: candidate) else { return nil }
            if status(git) != nil { return candidate }
        }
        return nil
    }

    private func repository(at worktree: RelativePath) -> Repository? {
        if let known = repositories.withLock({ $0[worktree] }) { return known }
        let found = try? load(worktree)
        repositories.withLock { $0[worktree] = .some(found) }
        return found
    }

    private func gitDirectory(of worktree: RelativePath) -> String? {
        guard let git = Self.gitName(in: worktree), let status = status(git) else { return nil }
        let absolute = GitPointer.resolve(String(decoding: worktree.bytes, as: UTF8.self), from: projectPath)
        switch status.kind {
        case .directory: return absolute + "/.git"
        case .file:
            guard let content = try? FileContent.read(open(git), bytesMax: GitPointer.bytesMax) else { return nil }
            return GitPointer.gitDirectory(namedBy: content, in: absolute)
        default: return nil
        }
    }

    private func load(_ worktree: RelativePath) throws -> Repository? {
        guard let directory = gitDirectory(of: worktree),
            let configuration = GitRepository.configuration(of: directory),
            let format = try GitConfigFile(configuration).objectFormat,
            let content = GitPointer.read(directory + "/index", bytesMax: GitIndex.Limits.bytesMax)
        else { return nil }
        return Repository(format: format, entries: try GitIndex(content, format: format).entries)
    }

    /// The name that git would give the file's content; nil for what is no plain file or changes while it is read.
    private func blobName(of path: RelativePath, format: ObjectFormat) throws -> [UInt8]? {
        guard let status = status(path), status.kind == .file, status.size <= Limits.fileBytesMax else { return nil }
        let file = try open(path)
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
