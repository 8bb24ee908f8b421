package import Domain
import Files

/// What a tree looked like when the command started, as far as later questions need it: which names were there, which
/// of them are hidden, and which directory each directory was.
package struct TreeIndex: Sendable {
    /// A name that the table of sensitive names speaks of.
    struct Candidate: Sendable, Equatable {
        enum Reason: UInt8, Sendable {
            /// Hidden by its name.
            case name
            /// Hidden since it holds a private key.
            case privateKey
            /// A key-like name whose content is no private key: visible.
            case notPrivate
            /// Could not be read to find out: hidden.
            case unreadable
        }

        let name: [UInt8]
        let isDirectory: Bool
        let reason: Reason
        /// For anything decided by content: whose content it was.
        let inode: UInt64
        let changed: FileTime
        /// What git said of it; nil if nobody asked, or the answer could not be kept.
        var answer: Answer?
    }

    /// What git said of a candidate, and what that rests on.
    struct Answer: Sendable, Equatable {
        let tracking: Tracking
        /// The number of its working tree in ``TreeIndex/worktrees``.
        let worktree: Int
        /// The file that was compared; nil for ``Tracking/absent``, which no content can change.
        let file: FileIdentity?

        func moved(to number: Int) -> Answer { Answer(tracking: tracking, worktree: number, file: file) }
    }

    struct FileIdentity: Sendable, Equatable {
        let inode: UInt64
        let changed: FileTime
    }

    /// A working tree that was asked about candidates, as it was then.
    struct Worktree: Sendable, Equatable {
        let root: RelativePath
        let identity: [UInt8]
    }

    struct DirectoryRecord: Sendable {
        let name: [UInt8]
        let inode: UInt64
        let changed: FileTime
        let modified: FileTime
        let mode: UInt32
        let userID: UInt32
        let groupID: UInt32
        /// The directory had not changed for a while when it was read, so its record can be used again.
        var isSettled = false
        /// An entry of it, visible, has another owner or group than the tree.
        var hasForeignOwner = false
        var hashes: Range<Int> = 0..<0
        var candidates: [Candidate] = []
        var mountPoints: [[UInt8]] = []
        /// Names of links that are settings, or below which settings would be looked for.
        var settingLinks: [[UInt8]] = []
        /// In the order of their names.
        var children: [Int] = []
    }

    /// In the order of the walk, the root first. Empty only in ``empty``.
    private(set) var records: [DirectoryRecord] = []
    /// Sorted hashes of every directory's names, one run for each directory.
    private(set) var hashes: [UInt64] = []
    var device: UInt64 = 0
    /// Every hidden path that is not a tracked, unchanged file. For a directory, all below it is hidden too.
    package internal(set) var hidden: [RelativePath] = []
    /// Where something is mounted, and directories on another file system: what lies there is not in the view.
    package internal(set) var mountPoints: [RelativePath] = []
    /// Links that are settings, or below which settings would be looked for.
    var settingLinks: [RelativePath] = []
    /// The first path whose owner or group differs from the root's.
    package internal(set) var foreignOwner: RelativePath?
    package internal(set) var entryCount = 0
    var worktrees: [Worktree] = []

    static let empty = TreeIndex()

    /// A 64-bit hash of a name: FNV-1a with a final mix. Only the user can put names into the lower tree, so that
    /// nothing is gained by a collision.
    static func hash(_ name: [UInt8]) -> UInt64 {
        var value: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in name { value = (value ^ UInt64(byte)) &* 0x100_0000_01b3 }
        value ^= value >> 32
        return value &* 0x9e37_79b9_7f4a_7c15
    }

    mutating func append(_ record: DirectoryRecord, parent: Int?) -> Int {
        records.append(record)
        let number = records.count - 1
        if let parent { records[parent].children.append(number) }
        return number
    }

    mutating func addHashes(sorted names: [UInt64], to number: Int) {
        let start = hashes.count
        hashes.append(contentsOf: names)
        records[number].hashes = start..<hashes.count
    }

    mutating func addHashes(of record: DirectoryRecord, in other: TreeIndex, to number: Int) {
        let start = hashes.count
        hashes.append(contentsOf: other.hashes[record.hashes])
        records[number].hashes = start..<hashes.count
    }

    /// Lets `body` add hashes at the end; returns where they are.
    mutating func appendHashes<Failure: Error>(
        _ body: (inout [UInt64]) throws(Failure) -> Void
    ) throws(Failure) -> Range<Int> {
        let start = hashes.count
        try body(&hashes)
        return start..<hashes.count
    }

    mutating func update(_ number: Int, _ body: (inout DirectoryRecord) -> Void) { body(&records[number]) }

    func child(_ name: [UInt8], of number: Int) -> Int? {
        let children = records[number].children
        var (low, high) = (0, children.count)
        while low < high {
            let middle = (low + high) / 2
            let found = records[children[middle]].name
            if found == name { return children[middle] }
            if found.lexicographicallyPrecedes(name) { low = middle + 1 } else { high = middle }
        }
        return nil
    }

    /// The record of a directory; nil if there was none when the command started, or nobody looked into it.
    func record(_ path: RelativePath) -> DirectoryRecord? {
        guard var number = records.indices.first else { return nil }
        for name in path.components {
            guard let next = child(name, of: number) else { return nil }
            number = next
        }
        return records[number]
    }

    /// Whether an index of the same tree, from whose records this one was made, says the same of it.
    func isSame(as other: TreeIndex) -> Bool {
        device == other.device && records.count == other.records.count && hashes.count == other.hashes.count
            && hidden == other.hidden && mountPoints == other.mountPoints && settingLinks == other.settingLinks
            && foreignOwner == other.foreignOwner
    }

    /// Whether the name was there when the command started.
    package func existed(_ path: RelativePath) -> Bool {
        guard let name = path.name else { return !records.isEmpty }
        guard let record = record(path.parent) else { return false }
        return holds(Self.hash(name), in: record)
    }

    /// Whether a name with this hash is in a directory.
    func holds(_ wanted: UInt64, in record: DirectoryRecord) -> Bool {
        var (low, high) = (record.hashes.lowerBound, record.hashes.upperBound)
        while low < high {
            let middle = (low + high) / 2
            if hashes[middle] == wanted { return true }
            if hashes[middle] < wanted { low = middle + 1 } else { high = middle }
        }
        return false
    }
}
