import Domain
import Files
import Glibc

/// One tree of a workspace with the user's root opened: everything after is reached beneath this descriptor, whatever
/// happens to the path.
final class OpenTree {
    let source: WorkspacePlan.Tree
    let lower: Directory

    init(_ source: WorkspacePlan.Tree) throws {
        self.source = source
        lower = try Directory(trustedPath: source.tree.lower)
        let root = source.index.record(.root)
        let status = try lower.status([])
        guard let root, status.inode == root.inode, geteuid() == 0 || status.userID == geteuid() else {
            throw WorkspaceError(
                .conflict,
                "open the project: \(Printable.text(source.tree.lower)) is not the directory of the run any more",
                hint: "Move the project back to its place, or discard the run's changes."
            )
        }
    }

    private static func openIfAllowed(
        _ name: [UInt8],
        in parent: borrowing Directory
    ) throws(SystemError) -> Descriptor? {
        do {
            return try parent.open(name, flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
        } catch  where error.code == EACCES {
            return nil
        }
    }

    /// What lies at a path of the user's tree now.
    enum State {
        case present(FileStatus, parent: FileStatus)
        /// The parent is there, the name is not.
        case absent(parent: FileStatus)
        /// A directory above is missing.
        case noParent
        /// Something above is no directory.
        case blocked
    }

    func state(_ path: RelativePath) throws(SystemError) -> State {
        guard let name = path.name else {
            let status = try lower.status([])
            return .present(status, parent: status)
        }
        do {
            let parent = try lower.directory(at: path.parent.components)
            let parentStatus = try parent.status([])
            guard let status = try parent.statusIfPresent(name) else { return .absent(parent: parentStatus) }
            return .present(status, parent: parentStatus)
        } catch  where error.code == ENOENT {
            return .noParent
        } catch  where error.code == ENOTDIR || error.code == ELOOP {
            return .blocked
        }
    }

    /// Whether what lies there now is what the change wants to be there.
    func isAlready(_ change: Change, _ status: FileStatus) throws -> Bool {
        guard change.kind != .deleted, FileKind(status.kind) == change.file, let name = change.path.name else {
            return false
        }
        switch change.file {
        case .directory:
            return change.kind != .mode || status.mode == change.mode
        case .symlink:
            let parent = try lower.directory(at: change.path.parent.components)
            return try parent.linkTarget(name) == change.linkTarget
        case .file:
            guard status.mode == change.mode, status.size == change.size, let wanted = change.digest else {
                return false
            }
            let parent = try lower.directory(at: change.path.parent.components)
            // What cannot be read cannot be told to be equal.
            guard let file = try Self.openIfAllowed(name, in: parent) else { return false }
            return try FileComparison(file.raw, previous: nil).digest == wanted
        case .fifo, .socket, .device:
            return false
        }
    }
}
