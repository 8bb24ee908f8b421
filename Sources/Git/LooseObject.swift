package import Files

/// One object in a file of its own: a zlib stream of `type size NUL content`, named by the hash of what is in it.
package enum LooseObject {
    /// Bounds on what is inflated.
    enum Limits {
        /// One object's content.
        static let contentBytesMax = 1 << 30
        static let headerBytesMax = 32
        /// Trees are kept in memory to look at their names.
        static let treeBytesMax = 16 << 20
    }

    enum Kind: String { case blob, tree, commit, tag }

    /// Why a file is not the object that its name says.
    package struct Flaw: Error, Equatable {
        package let reason: String

        init(reason: String) { self.reason = reason }
    }

    /// Inflates the whole file, checks that its content hashes to `name` and that a tree names nothing dangerous.
    ///
    /// - Parameter budget: bytes that may still be inflated in this inspection; reduced by what was.
    package static func verify(
        _ file: borrowing Descriptor,
        name: [UInt8],
        format: ObjectFormat,
        budget: inout Int
    ) throws {
        let inflater = try Inflater()
        var check = ObjectCheck(format: format)
        let total = min(Limits.contentBytesMax, budget)
        var inflated = 0
        try FileContent.forEachChunkThrowing(file) { chunk in
            try inflater.feed(chunk) { output in
                inflated += output.count
                guard inflated <= total + Limits.headerBytesMax else {
                    throw Flaw(reason: "it inflates to more than is looked at")
                }
                try check.take(output)
            }
        }
        budget -= inflated
        guard inflater.isAtEnd else { throw Flaw(reason: "its zlib stream does not end") }
        guard try check.finish() == name else { throw Flaw(reason: "its content does not hash to its name") }
    }
}

/// Follows an object's inflated bytes: header, size, hash, and a tree's content.
private struct ObjectCheck {
    private var hasher: ObjectHasher
    private let format: ObjectFormat
    private var header: [UInt8] = []
    private var kind: LooseObject.Kind?
    private var left = 0
    private var tree: [UInt8] = []

    init(format: ObjectFormat) {
        self.format = format
        hasher = ObjectHasher(format)
    }

    mutating func take(_ bytes: UnsafeRawBufferPointer) throws {
        hasher.update(bytes)
        var content = bytes[...]
        if kind == nil {
            let room = LooseObject.Limits.headerBytesMax - header.count
            guard let nul = content.prefix(room + 1).firstIndex(of: 0) else {
                guard content.count <= room else { throw LooseObject.Flaw(reason: "its header is too long") }
                header.append(contentsOf: content)
                return
            }
            header.append(contentsOf: content[..<nul])
            try readHeader()
            content = content[(nul + 1)...]
        }
        guard content.count <= left else { throw LooseObject.Flaw(reason: "it is longer than its header says") }
        left -= content.count
        if kind == .tree {
            guard tree.count + content.count <= LooseObject.Limits.treeBytesMax else {
                throw LooseObject.Flaw(reason: "the tree is too large to look at")
            }
            tree.append(contentsOf: content)
        }
    }

    /// The object's name in hexadecimal digits.
    func finish() throws -> [UInt8] {
        guard kind != nil else { throw LooseObject.Flaw(reason: "it has no header") }
        guard left == 0 else { throw LooseObject.Flaw(reason: "it is shorter than its header says") }
        if kind == .tree { try TreeObject.check(tree, format: format) }
        return HexText.encode(hasher.finish())
    }

    private mutating func readHeader() throws {
        let parts = header.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard parts.count == 2, let kind = LooseObject.Kind(rawValue: String(decoding: parts[0], as: UTF8.self)),
            parts[1].allSatisfy({ (0x30...0x39).contains($0) }), parts[1].first != 0x30 || parts[1].count == 1,
            let size = Int(String(decoding: parts[1], as: UTF8.self))
        else { throw LooseObject.Flaw(reason: "its header is not `type size`") }
        guard size <= LooseObject.Limits.contentBytesMax else {
            throw LooseObject.Flaw(reason: "it is larger than is looked at")
        }
        self.kind = kind
        left = size
    }
}
