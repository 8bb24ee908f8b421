/// Finds every occurrence of many byte strings in one pass (Aho and Corasick), whatever they have in common.
///
/// The tree's nodes are linked lists of children rather than tables: a table of 256 entries a node would cost a
/// kilobyte for every byte of a secret.
struct ByteMatcher: Sendable {
    private struct Node {
        var byte: UInt8 = 0
        var firstChild: Int32 = -1
        var nextSibling: Int32 = -1
        /// The node of the longest proper suffix that is in the tree.
        var fallback: Int32 = 0
        /// Bytes of the longest string that ends here; 0 if none does.
        var longest: Int32 = 0
    }

    private var nodes = [Node()]
    /// The root is visited for most bytes of most texts, so it has a table.
    private var rootChildren = [Int32](repeating: -1, count: 256)

    init(_ needles: [[UInt8]]) {
        for needle in needles where !needle.isEmpty { insert(needle) }
        link()
    }

    private func child(_ node: Int32, _ byte: UInt8) -> Int32 {
        if node == 0 { return rootChildren[Int(byte)] }
        var child = nodes[Int(node)].firstChild
        while child >= 0, nodes[Int(child)].byte != byte { child = nodes[Int(child)].nextSibling }
        return child
    }

    private mutating func insert(_ needle: [UInt8]) {
        var node: Int32 = 0
        for byte in needle {
            var next = child(node, byte)
            if next < 0 {
                next = Int32(nodes.count)
                nodes.append(Node(byte: byte, nextSibling: nodes[Int(node)].firstChild))
                nodes[Int(node)].firstChild = next
                if node == 0 { rootChildren[Int(byte)] = next }
            }
            node = next
        }
        nodes[Int(node)].longest = Int32(needle.count)
    }

    /// Breadth first, so that a node's fallback is complete before its children ask for it.
    private mutating func link() {
        var queue: [Int32] = [0]
        var position = 0
        while position < queue.count {
            let parent = queue[position]
            position += 1
            var node = nodes[Int(parent)].firstChild
            while node >= 0 {
                if parent != 0 {
                    let fallback = step(from: nodes[Int(parent)].fallback, nodes[Int(node)].byte)
                    nodes[Int(node)].fallback = fallback
                    if nodes[Int(node)].longest == 0 { nodes[Int(node)].longest = nodes[Int(fallback)].longest }
                }
                queue.append(node)
                node = nodes[Int(node)].nextSibling
            }
        }
    }

    private func step(from node: Int32, _ byte: UInt8) -> Int32 {
        var node = node
        while true {
            let next = child(node, byte)
            if next >= 0 { return next }
            if node == 0 { return 0 }
            node = nodes[Int(node)].fallback
        }
    }

    /// For each position the longest string that ends there: together they cover every occurrence.
    func matches(in bytes: [UInt8]) -> [Range<Int>] {
        guard nodes.count > 1 else { return [] }
        var found: [Range<Int>] = []
        var node: Int32 = 0
        for (index, byte) in bytes.enumerated() {
            node = step(from: node, byte)
            let length = Int(nodes[Int(node)].longest)
            guard length > 0 else { continue }
            var start = index + 1 - length
            // Ends grow, so ranges that the new one reaches are swallowed at once and the list stays short.
            while let last = found.last, last.upperBound >= start {
                start = min(start, last.lowerBound)
                found.removeLast()
            }
            found.append(start..<index + 1)
        }
        return found
    }
}
