import Domain

/// Names that git or a file system gives a meaning to.
enum GitName {
    /// True for `.git` and for what a forgiving file system takes for it: other case, trailing dots and spaces,
    /// streams, short names, ignored code points, backslashes between names.
    static func isGit(_ name: [UInt8]) -> Bool { matches(name, ".git", short: ["git~"]) }

    /// As ``isGit(_:)``, for the file that names submodules.
    static func isGitModules(_ name: [UInt8]) -> Bool { matches(name, ".gitmodules", short: ["gitmod~", "gi7eba~"]) }

    /// True if git would write a file of this path into a working tree.
    static func isSafePath(_ path: [UInt8]) -> Bool {
        guard let path = RelativePath(bytes: path), !path.isRoot else { return false }
        return !path.components.contains(where: isGit)
    }

    private static func matches(_ name: [UInt8], _ wanted: String, short: [String]) -> Bool {
        // Without a plain `g` only a letter beyond ASCII can become one.
        let mayMatch = name.contains { $0 >= 0x80 || $0 | 0x20 == UInt8(ascii: "g") }
        guard mayMatch else { return false }
        return matchesFolded(name, wanted, short: short)
    }

    private static func matchesFolded(_ name: [UInt8], _ wanted: String, short: [String]) -> Bool {
        name.split(separator: UInt8(ascii: "\\")).contains { part in
            let named = part.prefix { $0 != UInt8(ascii: ":") }
            var text = String.UnicodeScalarView()
            for scalar in String(decoding: named, as: UTF8.self).unicodeScalars where !isIgnored(scalar) {
                text.append(scalar)
            }
            var folded = String(text).uppercased().lowercased()
            while folded.hasSuffix(".") || folded.hasSuffix(" ") { folded.removeLast() }
            return folded == wanted || short.contains { folded.hasPrefix($0) && folded.utf8.count == $0.utf8.count + 1 }
        }
    }

    private static func isIgnored(_ scalar: Unicode.Scalar) -> Bool {
        scalar.properties.isDefaultIgnorableCodePoint || scalar.properties.generalCategory == .format
    }
}
