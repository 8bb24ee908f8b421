package import Domain

/// The hash tree of RFC 6962 over leaves that come one by one, kept as the roots of its complete subtrees.
package struct MerkleTree: Sendable, Equatable {
    package private(set) var size: UInt64 = 0
    /// Roots of complete subtrees from left to right, each of a power of two leaves, each smaller than the one before:
    /// one for every bit that is set in `size`.
    private var peaks: [Digest] = []

    package init(_ leaves: some Sequence<Digest> = []) {
        for leaf in leaves { append(leaf) }
    }

    /// Appends a leaf's hash: SHA-256 of a zero byte and the leaf.
    package mutating func append(_ leaf: Digest) {
        var node = leaf
        var carried = size
        while carried & 1 == 1, let left = peaks.popLast() {
            node = Hashing.node(left, node)
            carried >>= 1
        }
        peaks.append(node)
        size += 1
    }

    package var root: Digest {
        guard var root = peaks.last else { return Hashing.sha256([]) }
        for left in peaks.dropLast().reversed() { root = Hashing.node(left, root) }
        return root
    }
}
