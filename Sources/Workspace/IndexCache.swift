import Domain
import Files
import Glibc

/// Keeps a tree's index between runs, in the user's state directory. What cannot be read is as good as nothing.
final class IndexCache {
    private let directory: Directory
    private let name: [UInt8]
    private let seal: FileSeal
    /// The stored file that this value read or wrote last, and its tag. It is replaced by the next run's, never written
    /// to.
    private var stored: (inode: UInt64, tag: [UInt8])?

    init(stateDirectory: String, tree: String, seal: FileSeal) throws {
        self.seal = seal
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
        guard let index = TreeIndex(encoded: bytes, by: seal) else { return nil }
        stored = (number, bytes.suffix(Digest.byteCount))
        return index
    }

    func store(_ index: TreeIndex) throws {
        // A name of its own for every writer, so that two runs at once cannot mix their bytes.
        let temporary = name + Array(".new.\(getpid()).\(UInt32.random(in: 0 ... .max))".utf8)
        let bytes = index.encoded(by: seal)
        try FileContent.replace(temporary, in: directory, with: bytes, durable: false)
        let number = try directory.status(temporary).inode
        try directory.rename(temporary, to: directory, name)
        stored = (number, bytes.suffix(Digest.byteCount))
    }

    /// Gives what was loaded or stored last a second name elsewhere, which costs nothing however large the tree is;
    /// its tag, or nil if that is not possible, or if another run has stored its own meanwhile.
    func link(to other: borrowing Directory, as newName: [UInt8]) throws(SystemError) -> [UInt8]? {
        guard let stored else { return nil }
        do {
            try directory.link(name, to: other, newName)
        } catch  where [EXDEV, EPERM, EMLINK, EOPNOTSUPP, EACCES, ENOENT].contains(error.code) {
            return nil
        }
        if try other.status(newName).inode == stored.inode { return stored.tag }
        try other.removeFile(newName)
        return nil
    }
}
