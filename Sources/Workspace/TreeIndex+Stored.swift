import Domain
import Files

extension TreeIndex {
    private static let magic: StaticString = "BLYIDX03"
    /// The least bytes of a stored record and of a stored candidate: what a forged count is measured against.
    private static let recordBytesMin = 60
    private static let candidateBytesMin = 31

    func encoded(by seal: FileSeal) -> [UInt8] {
        var writer = BinaryWriter(magic: Self.magic)
        writer.add(device)
        writer.add(UInt64(entryCount))
        writer.add(UInt32(worktrees.count))
        for worktree in worktrees {
            writer.add(worktree.root)
            writer.add(worktree.identity)
        }
        writer.add(UInt32(records.count))
        for record in records { add(record, to: &writer) }
        writer.add(UInt32(hidden.count))
        for path in hidden { writer.add(path) }
        writer.add(UInt32(mountPoints.count))
        for path in mountPoints { writer.add(path) }
        writer.add(UInt32(settingLinks.count))
        for path in settingLinks { writer.add(path) }
        writer.add(optional: foreignOwner) { $0.add($1) }
        return writer.sealed(by: seal)
    }

    private func add(_ record: DirectoryRecord, to writer: inout BinaryWriter) {
        writer.add(record.name)
        writer.add(record.inode)
        writer.add(record.changed)
        writer.add(record.modified)
        writer.add(record.mode)
        writer.add(record.userID)
        writer.add(record.groupID)
        writer.add(record.isSettled)
        writer.add(record.hasForeignOwner)
        writer.addWords(hashes[record.hashes])
        writer.add(UInt32(record.candidates.count))
        for candidate in record.candidates {
            writer.add(candidate.name)
            writer.add(candidate.isDirectory)
            writer.add(candidate.reason.rawValue)
            writer.add(candidate.inode)
            writer.add(candidate.changed)
            writer.add(optional: candidate.answer) { $0.add($1) }
        }
        writer.add(UInt32(record.mountPoints.count))
        for name in record.mountPoints { writer.add(name) }
        writer.add(UInt32(record.settingLinks.count))
        for name in record.settingLinks { writer.add(name) }
        writer.add(UInt32(record.children.count))
    }

    /// Nil for anything that this version did not write whole: the caller walks the tree afresh.
    init?(encoded bytes: [UInt8], by seal: FileSeal) {
        do {
            var reader = try BinaryReader(sealed: bytes, by: seal, magic: Self.magic)
            self.init()
            try read(&reader)
            guard reader.isAtEnd else { return nil }
        } catch {
            return nil
        }
    }

    private mutating func read(_ reader: inout BinaryReader) throws(BinaryReader.Damaged) {
        device = try reader.read()
        entryCount = Int(clamping: try reader.read(UInt64.self))
        for _ in 0..<(try reader.readCount(bytesEach: 8)) {
            worktrees.append(Worktree(root: try reader.readPath(), identity: try reader.readBytes()))
        }
        let count = try reader.readCount(bytesEach: Self.recordBytesMin)
        var open: [(number: Int, left: Int)] = []
        for index in 0..<count {
            while let last = open.last, last.left == 0 { open.removeLast() }
            guard index == 0 || !open.isEmpty else { throw BinaryReader.Damaged() }
            let (record, children) = try readRecord(&reader, isRoot: index == 0)
            let number = append(record.0, parent: open.last?.number)
            update(number) { $0.hashes = record.1 }
            if !open.isEmpty { open[open.count - 1].left -= 1 }
            open.append((number, children))
            guard open.count <= WorkspaceLimits.depthMax + 2 else { throw BinaryReader.Damaged() }
        }
        guard open.allSatisfy({ $0.left == 0 }) else { throw BinaryReader.Damaged() }
        for _ in 0..<(try reader.readCount(bytesEach: 4)) { hidden.append(try reader.readPath()) }
        for _ in 0..<(try reader.readCount(bytesEach: 4)) { mountPoints.append(try reader.readPath()) }
        for _ in 0..<(try reader.readCount(bytesEach: 4)) { settingLinks.append(try reader.readPath()) }
        foreignOwner = try reader.readOptional { (reader) throws(BinaryReader.Damaged) in try reader.readPath() }
    }

    private mutating func readRecord(
        _ reader: inout BinaryReader,
        isRoot: Bool
    ) throws(BinaryReader.Damaged) -> ((DirectoryRecord, Range<Int>), Int) {
        let name = isRoot ? try reader.readBytes() : try reader.readName()
        var record = DirectoryRecord(
            name: name,
            inode: try reader.read(),
            changed: try reader.readTime(),
            modified: try reader.readTime(),
            mode: try reader.read(),
            userID: try reader.read(),
            groupID: try reader.read()
        )
        record.isSettled = try reader.readFlag()
        record.hasForeignOwner = try reader.readFlag()
        let words = try readHashes(&reader)
        for _ in 0..<(try reader.readCount(bytesEach: Self.candidateBytesMin)) {
            record.candidates.append(try readCandidate(&reader))
        }
        for _ in 0..<(try reader.readCount(bytesEach: 4)) { record.mountPoints.append(try reader.readName()) }
        for _ in 0..<(try reader.readCount(bytesEach: 4)) { record.settingLinks.append(try reader.readName()) }
        return ((record, words), try reader.readCount(bytesEach: Self.recordBytesMin))
    }

    private func readCandidate(_ reader: inout BinaryReader) throws(BinaryReader.Damaged) -> Candidate {
        let name = try reader.readName()
        let isDirectory = try reader.readFlag()
        guard let reason = Candidate.Reason(rawValue: try reader.read()) else { throw BinaryReader.Damaged() }
        return Candidate(
            name: name,
            isDirectory: isDirectory,
            reason: reason,
            inode: try reader.read(),
            changed: try reader.readTime(),
            answer: try reader.readFlag() ? try readAnswer(&reader) : nil
        )
    }

    private func readAnswer(_ reader: inout BinaryReader) throws(BinaryReader.Damaged) -> Answer {
        guard let tracking = Tracking(rawValue: try reader.read()) else { throw BinaryReader.Damaged() }
        let worktree = Int(try reader.read(UInt32.self))
        guard worktrees.indices.contains(worktree) else { throw BinaryReader.Damaged() }
        let file: FileIdentity? =
            tracking == .absent ? nil : FileIdentity(inode: try reader.read(), changed: try reader.readTime())
        return Answer(tracking: tracking, worktree: worktree, file: file)
    }

    private mutating func readHashes(_ reader: inout BinaryReader) throws(BinaryReader.Damaged) -> Range<Int> {
        try appendHashes { (words: inout [UInt64]) throws(BinaryReader.Damaged) in try reader.readWords(into: &words) }
    }
}

extension BinaryWriter {
    fileprivate mutating func add(_ answer: TreeIndex.Answer) {
        add(answer.tracking.rawValue)
        add(UInt32(answer.worktree))
        guard let file = answer.file else { return }
        add(file.inode)
        add(file.changed)
    }

    mutating func add(_ time: FileTime) {
        add(time.seconds)
        add(time.nanoseconds)
    }
}

extension BinaryReader {
    mutating func readTime() throws(Damaged) -> FileTime { FileTime(seconds: try read(), nanoseconds: try read()) }
}
