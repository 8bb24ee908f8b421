import Domain

/// Where a symbolic link leads, judged by its text alone.
enum LinkTarget: Equatable {
    /// Stays in the tree: the names from the root down.
    case inside(RelativePath)
    /// Absolute, below one of the readable roots.
    case system
    case leaves

    /// - Parameter readableRoots: absolute paths of directories that a command sees read-only.
    init(_ target: [UInt8], of link: RelativePath, readableRoots: [String]) {
        self = .leaves
        guard !target.isEmpty, !target.contains(0) else { return }
        let names = target.split(separator: UInt8(ascii: "/")).map { Array($0) }.filter { $0 != Self.here }
        if target.first == UInt8(ascii: "/") {
            let isBelow = readableRoots.contains { root in
                let root = root.utf8.split(separator: UInt8(ascii: "/")).map { Array($0) }
                return !root.isEmpty && names.starts(with: root)
            }
            if isBelow, !names.contains(Self.up) { self = .system }
            return
        }
        let climbs = names.prefix { $0 == Self.up }.count
        let rest = Array(names[climbs...])
        // Going up again after going down passes through a directory that may itself be a link to anywhere.
        guard climbs <= link.parent.components.count, !rest.contains(Self.up) else { return }
        let base = link.parent.components.dropLast(climbs)
        guard let path = RelativePath(bytes: Array((base + rest).joined(separator: [UInt8(ascii: "/")]))) else {
            return
        }
        self = .inside(path)
    }

    private static let here = [UInt8(ascii: ".")]
    private static let up = [UInt8(ascii: "."), UInt8(ascii: ".")]
}
