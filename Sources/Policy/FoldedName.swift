import Domain

/// Names as the most forgiving reader takes them: a file system that ignores case, the one of Windows with its trailing
/// dots, streams, backslashes and short names, the one of macOS with its ignored code points, and git, which guards
/// against them all. A protected name must be recognised in each of these shapes, because the project may be copied
/// there.
enum FoldedName {
    /// The folded names of a path, from the root down; a name with backslashes becomes several.
    static func fold(_ path: RelativePath) -> [[UInt8]] { path.components.flatMap(fold) }

    static func fold(_ name: [UInt8]) -> [[UInt8]] {
        if isSimple(name) { return [name.map(ASCIIFold.lower)] }
        let parts = name.split(separator: UInt8(ascii: "\\"), omittingEmptySubsequences: true).map(foldPart)
        return parts.isEmpty ? [name] : parts
    }

    /// Plain letters, digits and signs that nobody folds into something else but by case.
    private static func isSimple(_ name: [UInt8]) -> Bool {
        guard let last = name.last, last != UInt8(ascii: "."), last != UInt8(ascii: " ") else { return false }
        return name.allSatisfy { byte in
            (0x20..<0x7F).contains(byte) && byte != UInt8(ascii: "\\") && byte != UInt8(ascii: ":")
                && byte != UInt8(ascii: "~")
        }
    }

    private static func foldPart(_ part: some Sequence<UInt8>) -> [UInt8] {
        // `name:stream` and `name::$INDEX_ALLOCATION` are the file or directory itself.
        let named = Array(part.prefix { $0 != UInt8(ascii: ":") })
        var scalars = String.UnicodeScalarView()
        for scalar in String(decoding: named, as: UTF8.self).unicodeScalars where !isIgnored(scalar) {
            scalars.append(scalar)
        }
        // Upper case first, so that letters such as the long s fold with their plain twins.
        var folded = Array(String(scalars).uppercased().lowercased().utf8)
        while let last = folded.last, last == UInt8(ascii: ".") || last == UInt8(ascii: " ") { folded.removeLast() }
        return longName(of: folded) ?? folded
    }

    private static func isIgnored(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isDefaultIgnorableCodePoint || scalar.properties.generalCategory == .format
            || scalar.value < 0x20 || scalar.value == 0x7F
    }

    /// The names that a short name of Windows (`GIT~1`) stands for.
    private static func longName(of name: [UInt8]) -> [UInt8]? {
        guard let tilde = name.lastIndex(of: UInt8(ascii: "~")), tilde == name.count - 2,
            (UInt8(ascii: "1")...UInt8(ascii: "9")).contains(name[name.count - 1])
        else { return nil }
        let long =
            switch String(decoding: name[..<tilde], as: UTF8.self) {
            case "git": ".git"
            case "gitmod", "gi7eba": ".gitmodules"
            case "gitatt", "gi7d29": ".gitattributes"
            case "bailey": ".bailey"
            case "claude": ".claude"
            default: ""
            }
        return long.isEmpty ? nil : Array(long.utf8)
    }
}
