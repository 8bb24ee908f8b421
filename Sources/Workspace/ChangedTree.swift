package import Domain
package import Files
import Glibc

/// What a command left behind in one tree, reached even where it shut a directory or a file against its owner: it is
/// ours, and every writer is dead. What had to be opened up is shut again when the value goes.
package final class ChangedTree {
    private let root: Directory
    /// Nil where the root itself was open.
    private let rootMode: UInt32?
    /// In the order in which they were opened up, outermost first.
    private var opened: [(path: RelativePath, mode: UInt32)] = []

    package init(_ tree: WorkspaceTree) throws(SystemError) {
        rootMode = try Self.shutMode(tree)
        root = try Self.openRoot(tree)
    }

    deinit {
        for (path, mode) in opened.reversed() {
            // It may be gone by now; nobody but the owner is let in either way.
            guard let name = path.name else { continue }
            try? root.directory(at: path.parent.components).setModeUnopened(name, mode)
        }
        if let rootMode { try? root.setOwnMode(rootMode) }
    }

    /// The mode of the directory that holds what was changed, if the command shut it; nil otherwise.
    static func shutMode(_ tree: WorkspaceTree) throws(SystemError) -> UInt32? {
        let (parent, name) = parts(tree)
        let mode = try Directory(trustedPath: parent).status(name).mode
        return mode & 0o700 == 0o700 ? nil : mode
    }

    /// Opens that directory, and gives its owner all rights to it.
    static func openRoot(_ tree: WorkspaceTree) throws(SystemError) -> Directory {
        let (path, name) = parts(tree)
        let parent = try Directory(trustedPath: path)
        if let mode = try shutMode(tree), geteuid() != 0 { try parent.setModeUnopened(name, mode | 0o700) }
        return try parent.directory(name)
    }

    private static func parts(_ tree: WorkspaceTree) -> (parent: String, name: [UInt8]) {
        let path = Array(tree.changed.utf8)
        let slash = path.lastIndex(of: UInt8(ascii: "/")) ?? 0
        return (String(decoding: path[..<slash], as: UTF8.self) + "/", Array(path[(slash + 1)...]))
    }

    package func status(_ path: RelativePath) throws(SystemError) -> FileStatus {
        do {
            return try root.status(at: path.components)
        } catch  where error.code == EACCES {
            try openUp(path.parent)
            return try root.status(at: path.components)
        }
    }

    package func directory(_ path: RelativePath) throws(SystemError) -> Directory {
        do {
            return try root.directory(at: path.components)
        } catch  where error.code == EACCES {
            try openUp(path)
            return try root.directory(at: path.components)
        }
    }

    /// Opens a file for reading; a link is refused.
    package func open(_ path: RelativePath) throws(SystemError) -> Descriptor {
        do {
            return try root.open(at: path.components, flags: Self.readingFlags)
        } catch  where error.code == EACCES {
            try openUp(path)
            return try root.open(at: path.components, flags: Self.readingFlags)
        }
    }

    /// Makes the names in a directory durable, if the command left one there: not where it put a link in its place.
    func synchronizeNames(in path: RelativePath) throws(SystemError) {
        do {
            try directory(path).synchronize()
        } catch  where [ENOENT, ENOTDIR, ELOOP].contains(error.code) {
            return
        }
    }

    private static var readingFlags: Int32 { O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY }

    /// Gives the owner all rights to every directory down to a path, and the right to read a file there.
    private func openUp(_ path: RelativePath) throws(SystemError) {
        var current = try root.duplicate()
        var place = RelativePath.root
        for name in path.components {
            guard let next = place.appending(name) else { return }
            place = next
            let status = try current.status(name)
            let needed: UInt32 = status.kind == .directory ? 0o700 : 0o400
            guard status.kind == .directory || status.kind == .file else { return }
            if status.mode & needed != needed {
                try current.setModeUnopened(name, status.mode | needed)
                opened.append((place, status.mode))
            }
            guard status.kind == .directory else { return }
            current = try current.directory(name)
        }
    }
}
