import Domain
import Files
import Glibc

/// Keeps a tree's index between runs, in the user's state directory. What cannot be read is as good as nothing.
final class IndexCache {
    private let directory: Directory
    private let name: [UInt8]
    /// The stored file that this value read or wrote last. It is replaced by the next run's, never written to.
    private var inode: UInt64?

    init(stateDirectory: String, tree: String) throws {
        let state = try Directory(trustedPath: stateDirectory)
        let trees = Array("trees".utf8)
        _ = try state.makeDirectoryIfAbsent(trees, mode: 0o700)
        directory = try state.directory(trees)
        name = Array(ContentHash.of(Array(tree.utf8)).hex.utf8)
    }

    func load() -> TreeIndex { (try? read()) ?? .empty }

    private func read() throws(SystemError) -> TreeIndex? {
        let file = try directory.open(name, flags: O_RDONLY | O_NONBLOCK | O_NOCTTY)
        let number = try file.status().inode
        let bytes = try FileContent.read(file, bytesMax: WorkspaceLimits.storedBytesMax)
        guard let index = TreeIndex(encoded: bytes) else { return nil }
        inode = number
        return index
    }

    func store(_ index: TreeIndex) throws {
        // A name of its own for every writer, so that two runs at once cannot mix their bytes.
        let temporary = name + Array(".new.\(getpid()).\(UInt32.random(in: 0 ... .max))".utf8)
        try FileContent.replace(temporary, in: directory, with: index.encoded(), durable: false)
        let number = try directory.status(temporary).inode
        try directory.rename(temporary, to: directory, name)
        inode = number
    }

    /// Gives what was loaded or stored last a second name elsewhere, which costs nothing however large the tree is;
    /// false if that is not possible, or if another run has stored its own meanwhile.
    func link(to other: borrowing Directory, as newName: [UInt8]) throws(SystemError) -> Bool {
        guard let inode else { return false }
        do {
            try directory.link(name, to: other, newName)
        } catch  where [EXDEV, EPERM, EMLINK, EOPNOTSUPP, EACCES, ENOENT].contains(error.code) {
            return false
        }
        if try other.status(newName).inode == inode { return true }
        try other.removeFile(newName)
        return false
    }
}
