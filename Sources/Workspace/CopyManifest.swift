import Domain
import Files

/// What a private copy and its original looked like when the copy was made.
struct CopyManifest: Sendable, Equatable {
    struct Entry: Sendable, Equatable {
        let kind: FileKind
        /// The original then.
        let lowerInode: UInt64
        let lowerChanged: FileTime
        /// The copy then: an inode and a ctime that the command cannot forge.
        let copyInode: UInt64
        let copyChanged: FileTime
    }

    private(set) var entries: [RelativePath: Entry] = [:]

    private static let magic: StaticString = "BLYCPY02"
    private static let entryBytesMin = 50

    subscript(path: RelativePath) -> Entry? {
        get { entries[path] }
        set { entries[path] = newValue }
    }

    func encoded(by seal: FileSeal) -> [UInt8] {
        var writer = BinaryWriter(magic: Self.magic)
        writer.add(UInt32(entries.count))
        for (path, entry) in entries {
            writer.add(path)
            writer.add(entry.kind.rawValue)
            writer.add(entry.lowerInode)
            writer.add(entry.lowerChanged)
            writer.add(entry.copyInode)
            writer.add(entry.copyChanged)
        }
        return writer.sealed(by: seal)
    }

    init() {}

    init?(encoded bytes: [UInt8], by seal: FileSeal) {
        do {
            var reader = try BinaryReader(sealed: bytes, by: seal, magic: Self.magic)
            for _ in 0..<(try reader.readCount(bytesEach: Self.entryBytesMin)) {
                let path = try reader.readPath()
                guard let kind = FileKind(rawValue: try reader.readText()) else { return nil }
                entries[path] = Entry(
                    kind: kind,
                    lowerInode: try reader.read(),
                    lowerChanged: try reader.readTime(),
                    copyInode: try reader.read(),
                    copyChanged: try reader.readTime()
                )
            }
            guard reader.isAtEnd else { return nil }
        } catch {
            return nil
        }
    }
}
