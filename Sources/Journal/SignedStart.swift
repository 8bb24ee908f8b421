import Domain
import Files

/// The lines of the authority's journal that its checkpoint covers. Where they hash to the root that was signed, they
/// are what was written, byte for byte: they were judged then, and need no second reading line by line, which would
/// cost every run more the more there have been.
struct SignedStart {
    /// Where the journal stands behind those lines.
    let chain: Chain
    let tree: MerkleTree

    /// Nil if the lines are not what the checkpoint says, or not what the mark says: whoever opens the journal then
    /// reads it from its first line, and finds out what is wrong.
    init?(_ file: consuming Descriptor, checkpoint: Checkpoint, mark: DurableMark) throws(SystemError) {
        var chain = Chain(.authority)
        var tree = MerkleTree()
        var reader = LineReader(file)
        while true {
            if mark.size == tree.size, mark != DurableMark(chain) { return nil }
            guard tree.size < checkpoint.size else { break }
            guard case .complete(let line)? = try reader.next() else { return nil }
            let leaf = Hashing.leaf(line)
            tree.append(leaf)
            chain.advance(leaf: leaf, byteCount: line.count + 1, type: nil)
        }
        guard tree.root == checkpoint.root else { return nil }
        self.chain = chain
        self.tree = tree
    }
}
