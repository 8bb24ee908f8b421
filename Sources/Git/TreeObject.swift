import Domain

/// A directory as git stores it.
enum TreeObject {
    /// Refuses what a checkout must never write: names that lead elsewhere, git's own names, a link as `.gitmodules`.
    static func check(_ content: [UInt8], format: ObjectFormat) throws {
        let malformed = LooseObject.Flaw(reason: "the tree is malformed")
        var reader = ByteReader(content, end: content.count)
        do {
            while reader.left > 0 {
                let line = try reader.untilNul(atMost: 4096)
                guard let space = line.firstIndex(of: UInt8(ascii: " ")) else { throw malformed }
                let name = Array(line[(space + 1)...])
                guard
                    ["40000", "100644", "100755", "120000", "160000", "100664"].contains(where: {
                        line[..<space].elementsEqual($0.utf8)
                    })
                else { throw malformed }
                guard !name.contains(UInt8(ascii: "/")), GitName.isSafePath(name) else {
                    throw LooseObject.Flaw(reason: "the tree holds the name \(Printable.text(name))")
                }
                if line[..<space].elementsEqual("120000".utf8), GitName.isGitModules(name) {
                    throw LooseObject.Flaw(reason: "the tree holds .gitmodules as a link")
                }
                _ = try reader.take(format.byteCount)
            }
        } catch is GitError {
            throw malformed
        }
    }
}
