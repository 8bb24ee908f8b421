/// A path below some root, as the bytes that the kernel knows: any byte but NUL, no empty component, no `.` or `..`,
/// no leading slash. The empty path is the root itself.
package struct RelativePath: Hashable, Sendable, Comparable {
    package static let root = RelativePath(components: [])

    package let components: [[UInt8]]

    private init(components: [[UInt8]]) { self.components = components }

    /// Parses bytes with `/` between components; nil if they could leave the root or are not a path.
    package init?(bytes: some Collection<UInt8>) {
        if bytes.isEmpty {
            self = .root
            return
        }
        // An array, which is divided several times faster than any collection.
        let parts = Array(bytes).split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { Array($0) }
        guard parts.allSatisfy(Self.isName) else { return nil }
        self.init(components: parts)
    }

    package init?(_ text: String) { self.init(bytes: Array(text.utf8)) }

    package var bytes: [UInt8] {
        guard components.count != 1 else { return components[0] }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(components.reduce(0) { $0 + $1.count + 1 })
        for name in components {
            if !bytes.isEmpty { bytes.append(UInt8(ascii: "/")) }
            bytes.append(contentsOf: name)
        }
        return bytes
    }
    package var isRoot: Bool { components.isEmpty }
    package var name: [UInt8]? { components.last }
    package var parent: RelativePath { RelativePath(components: Array(components.dropLast())) }

    /// The path of a directory entry; nil for a name that is no single component.
    package func appending(_ name: [UInt8]) -> RelativePath? {
        Self.isName(name) ? RelativePath(components: components + [name]) : nil
    }

    package func appending(_ path: RelativePath) -> RelativePath {
        RelativePath(components: components + path.components)
    }

    /// True for the path itself and everything below it.
    package func isWithin(_ directory: RelativePath) -> Bool { components.starts(with: directory.components) }

    /// The part below `directory`; nil if this path is not within it.
    package func relative(to directory: RelativePath) -> RelativePath? {
        isWithin(directory) ? RelativePath(components: Array(components.dropFirst(directory.components.count))) : nil
    }

    package static func < (left: RelativePath, right: RelativePath) -> Bool {
        left.components.lexicographicallyPrecedes(right.components) { $0.lexicographicallyPrecedes($1) }
    }

    /// Whether the bytes are one component. Thousands are looked at when a run starts.
    package static func isName(_ name: [UInt8]) -> Bool {
        guard !name.isEmpty, !name.contains(where: { $0 == UInt8(ascii: "/") || $0 == 0 }) else { return false }
        return name.count > 2 || name.contains { $0 != UInt8(ascii: ".") }
    }
}

extension RelativePath: CustomStringConvertible {
    /// Safe on a terminal and in one line: see ``Printable``.
    package var description: String { isRoot ? "." : Printable.text(bytes) }
}
