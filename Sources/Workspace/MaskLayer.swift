import Domain
import Files
import Glibc

/// Keeps a mask layer from being removed while somebody uses it: a shared lock that ends with the value, or the
/// process.
final class MaskLease: Sendable {
    private let lock: Int32

    init(owning lock: consuming Descriptor) { self.lock = lock.release() }

    deinit { _ = close(lock) }
}

/// A directory of whiteouts that, as an overlay's upper lower layer, makes hidden paths vanish without a trace in the
/// project.
///
/// It lies in the user's state directory, since no layer may lie beneath another, and is named by a digest of
/// everything that went into it: runs share it. It is built under another name and renamed, so that nobody sees half
/// of one.
struct MaskLayer {
    let path: String
    let lease: MaskLease

    /// Finds or builds the layer for an index; nil if nothing is hidden.
    static func prepare(for index: TreeIndex, stateDirectory: String) throws -> MaskLayer? {
        guard !index.hidden.isEmpty else { return nil }
        let parents = parents(of: index.hidden)
        let key = Array(key(index, parents).utf8)
        let state = try Directory(trustedPath: stateDirectory)
        _ = try state.makeDirectoryIfAbsent(Array("masks".utf8), mode: 0o700)
        let masks = try state.directory(Array("masks".utf8))
        let lease = try lease(key, in: masks)
        if try masks.statusIfPresent(key) == nil {
            try prune(masks, keeping: key)
            try build(index, parents, named: key, in: masks)
        }
        return MaskLayer(path: stateDirectory + "/masks/" + String(decoding: key, as: UTF8.self), lease: lease)
    }

    /// Every directory above a hidden path, parents first.
    private static func parents(of hidden: [RelativePath]) -> [RelativePath] {
        var seen: Set<RelativePath> = [.root]
        var ordered: [RelativePath] = [.root]
        var last: RelativePath?
        for path in hidden {
            let parent = path.parent
            if parent == last { continue }
            last = parent
            var chain: [RelativePath] = []
            var next = parent
            while seen.insert(next).inserted {
                chain.append(next)
                next = next.parent
            }
            ordered.append(contentsOf: chain.reversed())
        }
        return ordered
    }

    private static func key(_ index: TreeIndex, _ parents: [RelativePath]) -> String {
        var writer = BinaryWriter(magic: "BLYMSK01")
        for path in index.hidden { writer.add(path) }
        for path in parents {
            writer.add(path)
            guard let record = index.record(path) else { continue }
            writer.add(record.mode)
            writer.add(record.userID)
            writer.add(record.groupID)
            writer.add(record.modified)
        }
        return ContentHash.of(writer.bytes).hex
    }

    private static func lockName(_ key: [UInt8]) -> [UInt8] { key + Array(".lock".utf8) }

    private static func lease(_ key: [UInt8], in masks: borrowing Directory) throws -> MaskLease {
        let name = lockName(key)
        // Whoever prunes removes the lock file too: a lock on a file that has lost its name protects nothing.
        for _ in 0..<100 {
            let lock = try masks.open(name, flags: O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600)
            _ = try lock.lock(.shared, wait: true)
            let own = try lock.status().inode
            guard try masks.statusIfPresent(name)?.inode == own else { continue }
            var now = timespec()
            clock_gettime(CLOCK_REALTIME, &now)
            try masks.setModified(name, FileTime(now))
            return MaskLease(owning: lock)
        }
        throw WorkspaceError(.busy, "use the layer of hidden files: it is being removed again and again")
    }

    private static func build(
        _ index: TreeIndex,
        _ parents: [RelativePath],
        named key: [UInt8],
        in masks: borrowing Directory
    ) throws {
        let temporary = key + Array(".new.\(getpid()).\(UInt32.random(in: 0 ... .max))".utf8)
        try masks.makeDirectory(temporary, mode: 0o700)
        do {
            let root = try masks.directory(temporary)
            try fill(root, index, parents)
        } catch {
            try? masks.removeTree(temporary)
            throw error
        }
        if try !masks.renameIfAbsent(temporary, to: masks, key) {
            // Somebody else built the same layer meanwhile.
            try masks.removeTree(temporary)
        }
    }

    private static func fill(_ root: borrowing Directory, _ index: TreeIndex, _ parents: [RelativePath]) throws {
        for path in parents {
            guard let name = path.name else { continue }
            try root.directory(at: path.parent.components).makeDirectory(name, mode: 0o700)
        }
        var position = index.hidden.startIndex
        while position < index.hidden.endIndex {
            let parent = index.hidden[position].parent
            let directory = try root.directory(at: parent.components)
            while position < index.hidden.endIndex, index.hidden[position].parent == parent {
                if let name = index.hidden[position].name { try directory.makeWhiteout(name) }
                position += 1
            }
        }
        // Children first: a parent's mode may shut everybody out, and a new entry changes its time.
        for path in parents.reversed() {
            guard let record = index.record(path) else { continue }
            let directory = try root.directory(at: path.components)
            if geteuid() == 0 {
                try directory.setOwnOwner(userID: record.userID, groupID: record.groupID)
            }
            try directory.setOwnMode(record.mode & 0o1777)
            try directory.setOwnModified(record.modified)
        }
    }

    /// Removes layers that nobody has used for a while, or that are too many, and that nobody uses now.
    private static func prune(_ masks: borrowing Directory, keeping key: [UInt8]) throws {
        var now = timespec()
        clock_gettime(CLOCK_REALTIME, &now)
        let oldest = FileTime(seconds: Int64(now.tv_sec) - WorkspaceLimits.maskAgeSecondsMax, nanoseconds: 0)
        var others: [(lock: [UInt8], used: FileTime)] = []
        for entry in try masks.entries() where entry.name.ends(in: ".lock") && entry.name != lockName(key) {
            guard let status = try masks.statusIfPresent(entry.name) else { continue }
            others.append((entry.name, status.modified))
        }
        others.sort { $1.used < $0.used }
        for (number, other) in others.enumerated()
        where other.used < oldest || number >= WorkspaceLimits.masksMax - 1 {
            try remove(other.lock, in: masks)
        }
        for entry in try masks.entries() where entry.name.containsSequence(Array(".new.".utf8)) {
            guard let status = try masks.statusIfPresent(entry.name), status.changed < oldest else { continue }
            try masks.removeTree(entry.name)
        }
    }
}

extension MaskLayer {
    /// Removes a layer unless somebody uses it, or removes it just now.
    private static func remove(_ lockName: [UInt8], in masks: borrowing Directory) throws {
        guard try masks.statusIfPresent(lockName) != nil else { return }
        let lock = try masks.open(lockName, flags: O_RDWR | O_NOFOLLOW)
        guard try lock.lock(.exclusive, wait: false),
            try masks.statusIfPresent(lockName)?.inode == lock.status().inode
        else { return }
        try masks.removeTree(Array(lockName.dropLast(".lock".utf8.count)))
        try masks.removeFile(lockName)
    }
}

extension [UInt8] {
    func ends(in suffix: String) -> Bool {
        count >= suffix.utf8.count && self[(count - suffix.utf8.count)...].elementsEqual(suffix.utf8)
    }
}
