import Domain
import Files

/// One step of an apply. Whether it was performed can be told afterwards from the files alone, so that a killed apply
/// can be finished or undone.
struct ApplyOperation: Sendable, Equatable {
    enum Kind: UInt8, Sendable {
        /// Move what is there into the run's directory. A directory is empty by then.
        case remove
        /// Move what was staged to where nothing is.
        case place
        /// Exchange what was staged with what is there.
        case exchange
        /// Change the permission bits.
        case mode
    }

    /// What a file was when it was last looked at, as far as a rename does not change it.
    struct Mark: Sendable, Equatable {
        let isDirectory: Bool
        let inode: UInt64
        let mode: UInt32
        let size: UInt64
        let modified: FileTime
        let changed: FileTime
        let hasOtherNames: Bool

        init(_ status: FileStatus) {
            isDirectory = status.kind == .directory
            inode = status.inode
            mode = status.mode
            size = status.size
            modified = status.modified
            changed = status.changed
            hasOtherNames = status.linkCount > 1
        }

        /// The same file with the same content. A directory is the same whatever is made in it.
        func isSameContent(_ status: FileStatus) -> Bool {
            guard inode == status.inode, isDirectory == (status.kind == .directory) else { return false }
            return isDirectory || (size == status.size && modified == status.modified)
        }

        /// Not touched at all: a rename or a chmod would show too. A file with several names changes its ctime with
        /// each of them.
        func isUntouched(_ status: FileStatus) -> Bool {
            isSameContent(status)
                && (isDirectory || (mode == status.mode && (hasOtherNames || changed == status.changed)))
        }

        /// As it was staged, to the stamp that nobody can set. Only another attempt at the same apply asks.
        func isAsStaged(_ status: FileStatus) -> Bool {
            isSameContent(status) && mode == status.mode && changed == status.changed
        }
    }

    let kind: Kind
    let tree: Int
    let path: RelativePath
    /// What lies at the path before; for a mode change of a new directory, that directory.
    let base: Mark?
    /// What was staged under this operation's number.
    let staged: Mark?
    let newMode: UInt32
}

extension ApplyOperation.Mark {
    func write(to writer: inout BinaryWriter) {
        writer.add(isDirectory)
        writer.add(inode)
        writer.add(mode)
        writer.add(size)
        writer.add(modified)
        writer.add(changed)
        writer.add(hasOtherNames)
    }

    init(_ reader: inout BinaryReader) throws(BinaryReader.Damaged) {
        isDirectory = try reader.readFlag()
        inode = try reader.read()
        mode = try reader.read()
        size = try reader.read()
        modified = try reader.readTime()
        changed = try reader.readTime()
        hasOtherNames = try reader.readFlag()
    }
}

/// What an apply is about to do, durable before it does the first of it.
struct ApplyIntent: Sendable, Equatable {
    let digest: Digest
    /// Trees whose staging directory lies in the tree itself, since it is on another file system than the run's
    /// directory.
    let besideTrees: [Bool]
    let operations: [ApplyOperation]

    private static let magic: StaticString = "BLYINT02"
    private static let operationBytesMin = 12

    init(digest: Digest, besideTrees: [Bool], operations: [ApplyOperation]) {
        self.digest = digest
        self.besideTrees = besideTrees
        self.operations = operations
    }

    func encoded(by seal: FileSeal) -> [UInt8] {
        var writer = BinaryWriter(magic: Self.magic)
        writer.add(digest.bytes)
        writer.add(UInt32(besideTrees.count))
        for flag in besideTrees { writer.add(flag) }
        writer.add(UInt32(operations.count))
        for operation in operations {
            writer.add(operation.kind.rawValue)
            writer.add(UInt8(operation.tree))
            writer.add(operation.path)
            writer.add(optional: operation.base) { $1.write(to: &$0) }
            writer.add(optional: operation.staged) { $1.write(to: &$0) }
            writer.add(operation.newMode)
        }
        return writer.sealed(by: seal)
    }

    init?(encoded bytes: [UInt8], by seal: FileSeal) {
        do {
            var reader = try BinaryReader(sealed: bytes, by: seal, magic: Self.magic)
            digest = try reader.readDigest()
            var flags: [Bool] = []
            for _ in 0..<(try reader.readCount(bytesEach: 1)) { flags.append(try reader.readFlag()) }
            var operations: [ApplyOperation] = []
            for _ in 0..<(try reader.readCount(bytesEach: Self.operationBytesMin)) {
                guard let kind = ApplyOperation.Kind(rawValue: try reader.read()) else { return nil }
                let operation = ApplyOperation(
                    kind: kind,
                    tree: try reader.readTree(),
                    path: try reader.readPath(),
                    base: try reader.readOptional { (reader) throws(BinaryReader.Damaged) in
                        try ApplyOperation.Mark(&reader)
                    },
                    staged: try reader.readOptional { (reader) throws(BinaryReader.Damaged) in
                        try ApplyOperation.Mark(&reader)
                    },
                    newMode: try reader.read()
                )
                guard operation.tree < flags.count else { return nil }
                operations.append(operation)
            }
            guard reader.isAtEnd else { return nil }
            besideTrees = flags
            self.operations = operations
        } catch {
            return nil
        }
    }
}
