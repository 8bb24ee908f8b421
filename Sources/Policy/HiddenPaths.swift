package import Domain

/// Which names are absent from every sandbox's view. The names themselves are in ``HiddenPathRule/all``.
///
/// The walk at start asks this for every entry of the project, so that a name which cannot be sensitive is let go after
/// one pass over its bytes, without an allocation. `.envrc` is not hidden: it is a script, and a change to it is asked
/// about.
package enum HiddenPaths {
    package enum Verdict: Sendable, Equatable {
        case visible
        /// The entry and, for a directory, all below it are absent from the view.
        case hidden
        /// Hidden if the content holds a private key (a file that may just as well be a public certificate).
        case hiddenIfPrivateKey
    }

    /// Judges one directory entry by its path below the project's root, ASCII case ignored.
    package static func judge(_ path: RelativePath) -> Verdict {
        guard let name = path.components.last, HiddenNameFilter.shared.mayMatch(name) else { return .visible }
        return rule(for: path)?.verdict ?? .visible
    }

    /// The line of the table that decides over an entry; nil if none does.
    package static func rule(for path: RelativePath) -> HiddenPathRule? {
        guard let name = path.components.last else { return nil }
        var folded = path.components.suffix(2).map { $0.map(ASCIIFold.lower) }
        if let rule = firstRule(folded) { return rule }
        // A copy that an editor or a person left is as sensitive as what it was made from.
        guard let original = originalName(of: name.map(ASCIIFold.lower)) else { return nil }
        folded[folded.count - 1] = original
        return firstRule(folded)
    }

    /// True if the entry or a directory above it is hidden by its name alone.
    package static func hides(_ path: RelativePath) -> Bool {
        var current = path
        while !current.isRoot {
            if judge(current) == .hidden { return true }
            current = current.parent
        }
        return false
    }

    /// True if a text holds the beginning of a private key in PEM or PuTTY form.
    package static func holdsPrivateKey(_ content: [UInt8]) -> Bool {
        let marker = Array("PRIVATE KEY".utf8)
        let begin = Array("-----BEGIN ".utf8)
        let lineBytesMax = 64
        var index = 0
        while let start = content[index...].firstIndex(of: begin[0]) {
            index = start + 1
            guard content[start...].starts(with: begin) else { continue }
            let line = content[(start + begin.count)...].prefix(lineBytesMax)
            let last = line.count - marker.count
            guard last >= 0 else { continue }
            let starts = line.startIndex...(line.startIndex + last)
            if starts.contains(where: { line[$0...].starts(with: marker) }) { return true }
        }
        return content.starts(with: Array("PuTTY-User-Key-File".utf8))
    }

    static let backupSuffixes = [
        ".bak", ".old", ".orig", ".save", ".backup", ".copy", ".swp", ".swo", ".tmp", "~",
    ].map { Array($0.utf8) }

    private static func firstRule(_ folded: [[UInt8]]) -> HiddenPathRule? {
        HiddenPathRule.all.first { $0.pattern.matches(folded) }
    }

    /// `server.key` for `server.key~`, `#server.key#`, `.server.key.swp` and their like; nil for a name that is no
    /// copy.
    private static func originalName(of name: [UInt8]) -> [UInt8]? {
        if name.count > 2, name.first == UInt8(ascii: "#"), name.last == UInt8(ascii: "#") {
            return Array(name.dropFirst().dropLast())
        }
        guard
            let suffix = backupSuffixes.first(where: {
                name.count > $0.count && name.reversed().starts(with: $0.reversed())
            })
        else { return nil }
        let rest = Array(name.dropLast(suffix.count))
        let isSwap = suffix.starts(with: Array(".sw".utf8))
        return isSwap && rest.first == UInt8(ascii: ".") ? Array(rest.dropFirst()) : rest
    }
}

/// Lower case as file systems and programs agree on it: the 26 letters.
enum ASCIIFold {
    @inline(__always)
    static func lower(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }
}
