import Crypto
import Domain
import Files
import Foundation
import Git

extension FuzzTarget {
    /// Git's index, without its checksum: that is set to the zeros that git allows.
    static let gitIndex = FuzzTarget("git-index", bytesMax: 1 << 20) {
        try [2, 3, 4].map { (version: UInt8) in try indexSeed(version: version) }
    } prepare: {
        { bytes in
            for format in ObjectFormat.allCases {
                let file = bytes + [UInt8](repeating: 0, count: format.byteCount)
                guard let index = try? GitIndex(file, format: format) else { continue }
                try promise((2...4).contains(index.version), "an unknown version was read")
                try promise(index.isEquivalent(to: index), "an index differs from itself")
                var pathBytes = 0
                for entry in index.entries {
                    pathBytes += entry.path.count
                    let isRight = !entry.path.isEmpty && entry.path.count <= GitIndex.Limits.pathBytesMax
                    try promise(isRight && !entry.path.contains(0), "an entry has no path")
                    try promise(entry.object.count == format.byteCount, "an entry has no object")
                }
                try promise(pathBytes <= GitIndex.Limits.pathsBytesMax, "paths take more memory than allowed")
            }
        }
    }

    /// Loose objects: honest ones pass, trees that a checkout must never write do not.
    static let gitObject = FuzzTarget("git-object") {
        let tree = Array("100644 a.txt\0".utf8) + [UInt8](repeating: 5, count: 20)
        let bad = Array("40000 .git\0".utf8) + [UInt8](repeating: 5, count: 20)
        return [
            [0, 0] + Array("content".utf8), [1, 0] + tree, [1, 0] + bad, [2, 0] + Array("tree 0\n".utf8),
            [0, 1, 0x78, 0x9C, 0x03, 0x00, 0x00, 0x00, 0x00, 0x01],
            [1, 0] + Array("120000 .GITMODULES\0".utf8) + [UInt8](repeating: 5, count: 20) + tree,
        ]
    } prepare: {
        let scratch = try FuzzScratch("object")
        return { bytes in
            var input = FuzzInput(bytes)
            let kind = input.pick(["blob", "tree", "commit", "tag"])
            let isRaw = input.byte() % 4 == 1
            let content = input.rest()
            let object = Array("\(kind) \(content.count)\0".utf8) + content
            try scratch.write(isRaw ? content : stored(object), "object")
            let name = Array(Hex.encode(Array(Insecure.SHA1.hash(data: object))).utf8)
            let flaw = try flaw(of: scratch.directory(), name: name)
            if isRaw { return }
            let isForbidden = kind == "tree" && namesForbidden(content)
            try promise(!isForbidden || flaw != nil, "a tree that names what git must not write is taken")
            try promise(kind == "tree" || flaw == nil, "an honest object is refused: \(flaw ?? "")")
        }
    }

    /// The small text files of a git directory.
    static let gitText = FuzzTarget("git-text", bytesMax: 1 << 18) {
        let object = String(repeating: "ab", count: 20)
        return [
            "\u{0}[core]\n\tbare = false\n[remote \"o\\\"x\"] url=\"a b\" ; c\n[a.b]k\n[x]\n y = 1\\\n2 # c\r\n",
            "\u{1}ref: refs/heads/main\n", "\u{1}\(object)\n", "\u{5}gitdir: ../.git/worktrees/a\n",
            "\u{2}# pack-refs with: peeled sorted \n\(object) refs/heads/a\n^\(object)\n\(object) refs/tags/b\n",
            "\u{3}\(object) \(object) A <a@example.com> 1 +0000\tx\n",
            "\u{4}\(object)\tnot-for-merge\tbranch 'a' of x\n",
        ].map { Array($0.utf8) }
    } prepare: {
        { bytes in
            let content = Array(bytes.dropFirst())
            for format in ObjectFormat.allCases {
                switch (bytes.first ?? 0) % 6 {
                case 0: try checkConfiguration(content)
                case 1:
                    _ = RefContent.isObjectLine(content, format: format)
                    if RefContent.isRef(content, format: format) { try expectPlain(content.dropLast()) }
                case 2:
                    guard RefContent.isPackedRefs(content, format: format) else { continue }
                    for line in content.split(separator: 0x0A) where line.first != UInt8(ascii: "#") {
                        try expectPlain(line)
                    }
                case 3:
                    if RefContent.isLog(content, format: format) { try promise(!content.contains(0), "NUL in a log") }
                case 4: _ = RefContent.isFetchHead(content, format: format)
                default: try checkPointer(content)
                }
            }
        }
    }

    private static func checkConfiguration(_ content: [UInt8]) throws {
        guard let file = try? GitConfigFile(content) else { return }
        for entry in file.entries.prefix(16) {
            try promise(!entry.key.isEmpty && entry.key == entry.key.lowercased(), "a key is not in lower case")
            try promise(
                file.value(entry.name) != nil || file.entries.last { $0.name == entry.name }?.value == nil,
                "a value is lost"
            )
        }
        _ = file.objectFormat
    }

    private static func checkPointer(_ content: [UInt8]) throws {
        guard let path = GitPointer.gitDirectory(namedBy: content, in: "/srv/project") else { return }
        let names = path.split(separator: "/")
        try promise(path.hasPrefix("/") && !names.contains("..") && !names.contains("."), "a pointer is not resolved")
        try promise(!path.utf8.contains(0) && !path.utf8.contains(0x0A), "a pointer holds two lines")
    }

    private static func expectPlain(_ line: some Collection<UInt8>) throws {
        try promise(Printable.isPlain(Array(line)), "a ref holds what cannot be shown")
        try promise(!String(decoding: line, as: UTF8.self).contains(".."), "a ref climbs")
    }

    private static func flaw(of directory: borrowing Directory, name: [UInt8]) throws -> String? {
        var budget = 1 << 26
        do {
            let file = try directory.open(Array("object".utf8), flags: O_RDONLY)
            try LooseObject.verify(file, name: name, format: .sha1, budget: &budget)
            return nil
        } catch let flaw as LooseObject.Flaw {
            return flaw.reason
        }
    }

    /// What the simplest reader finds in a tree: names with a slash, dots, `.git` in any case.
    private static func namesForbidden(_ tree: [UInt8]) -> Bool {
        var rest = tree[...]
        while let space = rest.firstIndex(of: 0x20), let nul = rest[space...].firstIndex(of: 0) {
            let name = String(decoding: rest[(space + 1)..<nul], as: UTF8.self).lowercased()
            if [".", "..", ".git", ""].contains(name) || name.contains("/") { return true }
            rest = rest[(nul + 1)...].dropFirst(20)
        }
        return false
    }

    /// A zlib stream of stored blocks.
    private static func stored(_ bytes: [UInt8]) -> [UInt8] {
        var stream: [UInt8] = [0x78, 0x01]
        var rest = bytes[...]
        repeat {
            let block = rest.prefix(0xFFFF)
            rest = rest.dropFirst(block.count)
            let (low, high) = (UInt8(block.count & 0xFF), UInt8(block.count >> 8))
            stream += [rest.isEmpty ? 1 : 0, low, high, ~low, ~high] + block
        } while !rest.isEmpty
        let sums = bytes.reduce((UInt32(1), UInt32(0))) { sums, byte in
            let first = (sums.0 + UInt32(byte)) % 65521
            return (first, (sums.1 + first) % 65521)
        }
        return stream + [UInt8(sums.1 >> 8), UInt8(sums.1 & 0xFF), UInt8(sums.0 >> 8), UInt8(sums.0 & 0xFF)]
    }

    private static func indexSeed(version: UInt8) throws -> [UInt8] {
        var bytes = Array("DIRC".utf8) + [0, 0, 0, version, 0, 0, 0, 2]
        for name in ["dir/a.txt", "dir/b"] {
            let start = bytes.count
            bytes += [UInt8](repeating: 0, count: 26) + [0x81, 0xA4] + [UInt8](repeating: 0, count: 12)
            bytes += [UInt8](repeating: 0xAB, count: 20) + [0, UInt8(name.utf8.count)]
            if version == 4 {
                bytes += name == "dir/b" ? Array("\u{5}b\0".utf8) : [0] + Array(name.utf8) + [0]
            } else {
                bytes += Array(name.utf8)
                bytes += [UInt8](repeating: 0, count: 8 - (bytes.count - start) % 8)
            }
        }
        return bytes + Array("TREE".utf8) + [0, 0, 0, 1, 0]
    }
}
