package import Domain

/// Everything that a command did to the trees of its workspace.
package struct ChangeSet: Sendable, Equatable {
    /// A place in one tree.
    package struct Place: Sendable, Hashable {
        package let tree: Int
        package let path: RelativePath

        package init(tree: Int, path: RelativePath) {
            self.tree = tree
            self.path = path
        }
    }

    /// A limit at which the listing stopped: such a set is never applied.
    package struct Excess: Sendable, Equatable {
        package enum Kind: String, Sendable, CaseIterable { case files, bytes, depth }

        package let kind: Kind
        /// Where it was noticed.
        package let place: Place
    }

    package let run: RunID
    /// By tree, then by path: a directory before what it holds.
    package let changes: [Change]
    /// Directories that the command removed and made again: listed by their content, but everything that was hidden in
    /// them is gone from the command's view.
    package let replacedDirectories: [Place]
    package let excesses: [Excess]

    package init(run: RunID, changes: [Change], replacedDirectories: [Place] = [], excesses: [Excess] = []) {
        self.run = run
        self.changes = changes.sorted { ($0.tree, $0.path) < ($1.tree, $1.path) }
        self.replacedDirectories = replacedDirectories
        self.excesses = excesses
    }

    package struct Counts: Sendable, Equatable {
        package var created = 0
        package var changed = 0
        package var deleted = 0

        package init() {}
    }

    package var isEmpty: Bool { changes.isEmpty && excesses.isEmpty && replacedDirectories.isEmpty }

    /// What people are told: files and links, and directories only where their mode changed.
    package var counts: Counts {
        var counts = Counts()
        for change in changes {
            switch change.kind {
            case .created: counts.created += change.file == .directory ? 0 : 1
            case .deleted: counts.deleted += change.file == .directory ? 0 : 1
            case .changed, .mode: counts.changed += 1
            }
        }
        return counts
    }

    /// Names exactly this set: SHA-256 over the run and every field of every entry.
    package var digest: Digest { ContentHash.of(encodedBody().bytes) }
}

extension ChangeSet {
    private static let magic: StaticString = "BLYCHG02"
    private static let changeBytesMin = 30

    /// The stored form; any byte of a name survives it.
    package func encoded(in stored: StoredRun) -> [UInt8] { encodedBody().sealed(by: stored.changesSeal) }

    private func encodedBody() -> BinaryWriter {
        var writer = BinaryWriter(magic: Self.magic)
        writer.add(run.rawValue)
        writer.add(UInt32(changes.count))
        for change in changes { writer.add(change) }
        writer.add(UInt32(replacedDirectories.count))
        for place in replacedDirectories { writer.add(place) }
        writer.add(UInt32(excesses.count))
        for excess in excesses {
            writer.add(excess.kind.rawValue)
            writer.add(excess.place)
        }
        return writer
    }

    /// Nil for anything that this version did not write whole for that run.
    package init?(encoded bytes: [UInt8], in stored: StoredRun) {
        do {
            var reader = try BinaryReader(sealed: bytes, by: stored.changesSeal, magic: Self.magic)
            guard let run = RunID(try reader.readText()), run == stored.run else { return nil }
            var changes: [Change] = []
            for _ in 0..<(try reader.readCount(bytesEach: Self.changeBytesMin)) {
                changes.append(try reader.readChange())
            }
            var replaced: [Place] = []
            for _ in 0..<(try reader.readCount(bytesEach: 5)) { replaced.append(try reader.readPlace()) }
            var excesses: [Excess] = []
            for _ in 0..<(try reader.readCount(bytesEach: 9)) {
                guard let kind = Excess.Kind(rawValue: try reader.readText()) else { return nil }
                excesses.append(Excess(kind: kind, place: try reader.readPlace()))
            }
            guard reader.isAtEnd else { return nil }
            self.init(run: run, changes: changes, replacedDirectories: replaced, excesses: excesses)
        } catch {
            return nil
        }
    }
}

extension BinaryWriter {
    mutating func add(_ place: ChangeSet.Place) {
        add(UInt8(place.tree))
        add(place.path)
    }

    mutating func add(_ change: Change) {
        add(UInt8(change.tree))
        add(change.path)
        add(change.kind.rawValue)
        add(change.file.rawValue)
        add(change.size)
        add(optional: change.mode) { $0.add($1) }
        add(optional: change.previousMode) { $0.add($1) }
        add(optional: change.linkTarget) { $0.add($1) }
        add(optional: change.isText) { $0.add($1) }
        add(optional: change.digest) { $0.add($1.bytes) }
    }
}

extension BinaryReader {
    mutating func readTree() throws(Damaged) -> Int {
        let tree = Int(try read(UInt8.self))
        guard tree < WorkspaceLimits.treesMax else { throw Damaged() }
        return tree
    }

    mutating func readPlace() throws(Damaged) -> ChangeSet.Place {
        ChangeSet.Place(tree: try readTree(), path: try readPath())
    }

    mutating func readChange() throws(Damaged) -> Change {
        let tree = try readTree()
        let path = try readPath()
        guard let kind = ChangeKind(rawValue: try readText()), let file = FileKind(rawValue: try readText()) else {
            throw Damaged()
        }
        return Change(
            tree: tree,
            path: path,
            kind: kind,
            file: file,
            size: try read(),
            mode: try readOptional { (reader) throws(Damaged) in try reader.read(UInt32.self) },
            previousMode: try readOptional { (reader) throws(Damaged) in try reader.read(UInt32.self) },
            linkTarget: try readOptional { (reader) throws(Damaged) in try reader.readBytes() },
            isText: try readOptional { (reader) throws(Damaged) in try reader.readFlag() },
            digest: try readOptional { (reader) throws(Damaged) in try reader.readDigest() }
        )
    }

    mutating func readDigest() throws(Damaged) -> Digest {
        guard let digest = Digest(try readBytes()) else { throw Damaged() }
        return digest
    }
}
