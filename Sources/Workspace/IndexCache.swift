import Domain
import Files
import Glibc

/// Keeps a tree's index between runs, in the user's state directory. What cannot be read is as good as nothing.
struct IndexCache: ~Copyable {
    private let directory: Directory
    private let name: [UInt8]

    init(stateDirectory: String, tree: String) throws {
        let state = try Directory(trustedPath: stateDirectory)
        let trees = Array("trees".utf8)
        _ = try state.makeDirectoryIfAbsent(trees, mode: 0o700)
        directory = try state.directory(trees)
        name = Array(ContentHash.of(Array(tree.utf8)).hex.utf8)
    }

    func load() -> TreeIndex {
        let stored = try? FileContent.readIfPresent(name, in: directory, bytesMax: WorkspaceLimits.storedBytesMax)
        return stored.flatMap { $0 }.flatMap { TreeIndex(encoded: $0) } ?? .empty
    }

    func store(_ index: TreeIndex) throws {
        // A name of its own for every writer, so that two runs at once cannot mix their bytes.
        let temporary = name + Array(".new.\(getpid()).\(UInt32.random(in: 0 ... .max))".utf8)
        try FileContent.replace(temporary, in: directory, with: index.encoded(), durable: false)
        try directory.rename(temporary, to: directory, name)
    }
}
