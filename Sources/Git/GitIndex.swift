/// What git keeps in `index`: the next commit's files. Versions 2, 3 and 4, SHA-1 and SHA-256.
package struct GitIndex: Sendable {
    package struct Entry: Sendable, Hashable {
        package let path: [UInt8]
        /// As git writes it: 0o100644, 0o100755, 0o120000 (link) or 0o160000 (submodule).
        package let mode: UInt32
        package let object: [UInt8]
        /// 0, or 1 to 3 in a merge conflict.
        package let stage: UInt8
        /// `git update-index --assume-unchanged`.
        package let assumesValid: Bool
        package let skipsWorktree: Bool
        package let intendsToAdd: Bool

        /// Git does not look whether the file was changed.
        package var hidesChanges: Bool { assumesValid || skipsWorktree }
    }

    /// Bounds on what is parsed.
    package enum Limits {
        /// An index of a million files.
        package static let bytesMax = 128 << 20
        package static let entriesMax = 2_000_000
        /// PATH_MAX.
        package static let pathBytesMax = 4096
        /// All paths together: version 4 writes a path in a few bytes that stands for thousands.
        package static let pathsBytesMax = 256 << 20
    }

    package let version: UInt32
    /// In git's order: by path, then by stage.
    package let entries: [Entry]

    /// Parses a whole index file. A split or sparse index is not understood.
    package init(_ bytes: [UInt8], format: ObjectFormat) throws(GitError) {
        let minimum = 12 + format.byteCount
        guard bytes.count <= Limits.bytesMax else { throw GitError(.tooLarge, "read the git index: it is too large") }
        guard bytes.count >= minimum else { throw GitError(.malformed, "read the git index: it ends too early") }
        try Self.checkSum(of: bytes, format: format)
        var reader = ByteReader(bytes, end: bytes.count - format.byteCount)
        guard try reader.take(4).elementsEqual("DIRC".utf8) else {
            throw GitError(.malformed, "read the git index: it does not begin with DIRC")
        }
        version = try reader.number32()
        guard (2...4).contains(version) else {
            throw GitError(.notUnderstood, "read the git index: its version is \(version)")
        }
        let count = Int(try reader.number32())
        // Each entry takes more bytes than this, so that a forged count cannot make memory grow.
        guard count <= Limits.entriesMax, count <= reader.left / (42 + format.byteCount) else {
            throw GitError(.malformed, "read the git index: it counts more entries than it can hold")
        }
        var entries: [Entry] = []
        entries.reserveCapacity(count)
        var pathsBytesLeft = Limits.pathsBytesMax
        for _ in 0..<count {
            let entry = try Self.entry(&reader, version: version, format: format, before: entries.last)
            pathsBytesLeft -= entry.path.count
            guard pathsBytesLeft >= 0 else {
                throw GitError(.tooLarge, "read the git index: its paths are too long together")
            }
            entries.append(entry)
        }
        self.entries = entries
        try Self.passExtensions(&reader)
    }

    /// Equal in path, mode, object and flags: what `git status` leaves when it rewrites the file times.
    package func isEquivalent(to other: GitIndex) -> Bool { entries == other.entries }

    /// Verifies the trailing checksum; all zeros mean that git was told to skip it.
    private static func checkSum(of bytes: [UInt8], format: ObjectFormat) throws(GitError) {
        let stored = bytes.suffix(format.byteCount)
        if stored.allSatisfy({ $0 == 0 }) { return }
        var hasher = ObjectHasher(format)
        bytes.withUnsafeBytes { hasher.update(UnsafeRawBufferPointer(rebasing: $0.dropLast(format.byteCount))) }
        guard stored.elementsEqual(hasher.finish()) else {
            throw GitError(.malformed, "read the git index: its checksum is wrong")
        }
    }

    private static func entry(
        _ reader: inout ByteReader,
        version: UInt32,
        format: ObjectFormat,
        before: Entry?
    ) throws(GitError) -> Entry {
        let start = reader.offset
        _ = try reader.take(24)
        let mode = try reader.number32()
        _ = try reader.take(12)
        let object = Array(try reader.take(format.byteCount))
        let flags = try reader.number16()
        var more: UInt16 = 0
        if flags & 0x4000 != 0 {
            guard version >= 3 else {
                throw GitError(.malformed, "read the git index: version 2 has no extended flags")
            }
            more = try reader.number16()
            guard more & 0x9FFF == 0 else { throw GitError(.notUnderstood, "read the git index: unknown flags") }
        }
        let path = try path(&reader, version: version, start: start, before: before)
        guard flags & 0x0FFF == min(path.count, 0x0FFF) else {
            throw GitError(.malformed, "read the git index: a name's length is wrong")
        }
        guard [0o100644, 0o100755, 0o120000, 0o160000].contains(mode) else {
            throw GitError(.notUnderstood, "read the git index: an entry has mode \(String(mode, radix: 8))")
        }
        let entry = Entry(
            path: path,
            mode: mode,
            object: object,
            stage: UInt8(flags >> 12 & 3),
            assumesValid: flags & 0x8000 != 0,
            skipsWorktree: more & 0x4000 != 0,
            intendsToAdd: more & 0x2000 != 0
        )
        if let before, !precedes(before, entry) {
            throw GitError(.malformed, "read the git index: its entries are not in order")
        }
        return entry
    }

    private static func path(
        _ reader: inout ByteReader,
        version: UInt32,
        start: Int,
        before: Entry?
    ) throws(GitError) -> [UInt8] {
        var path: [UInt8] = []
        if version == 4 {
            let last = before?.path ?? []
            let removed = try reader.offsetNumber()
            guard removed <= last.count else {
                throw GitError(.malformed, "read the git index: a name removes more than there is")
            }
            path = Array(last.dropLast(removed)) + (try reader.untilNul(atMost: Limits.pathBytesMax))
        } else {
            path = Array(try reader.untilNul(atMost: Limits.pathBytesMax))
            // One to eight NULs end the name; the first was passed over.
            let length = reader.offset - start - 1
            let padding = 8 - length % 8 - 1
            guard try reader.take(padding).allSatisfy({ $0 == 0 }) else {
                throw GitError(.malformed, "read the git index: a name is not padded with zeros")
            }
        }
        guard !path.isEmpty, path.count <= Limits.pathBytesMax else {
            throw GitError(.malformed, "read the git index: a name is empty or too long")
        }
        return path
    }

    private static func precedes(_ left: Entry, _ right: Entry) -> Bool {
        if left.path != right.path { return left.path.lexicographicallyPrecedes(right.path) }
        return left.stage != 0 && left.stage < right.stage
    }

    /// Extensions with a capital letter are caches; the others change the meaning of the entries.
    private static func passExtensions(_ reader: inout ByteReader) throws(GitError) {
        while reader.left > 0 {
            let name = try reader.take(4)
            guard let first = name.first, (0x41...0x5A).contains(first) else {
                throw GitError(.notUnderstood, "read the git index: it is a split or sparse index")
            }
            let count = Int(try reader.number32())
            _ = try reader.take(count)
        }
    }
}
