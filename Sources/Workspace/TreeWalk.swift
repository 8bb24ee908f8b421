import Domain
import Files
import Glibc
import Policy

/// Walks a user's tree before a command starts, finds what must be hidden and notes which names are there.
///
/// Everything is reached by descriptor, no link is followed, nothing that is mounted is entered. Directories that have
/// not changed since an earlier walk are taken from its index: their inode and ctime say so.
struct TreeWalk {
    private let cached: TreeIndex
    /// Directories with a ctime before this are settled.
    private let settledBefore: FileTime
    private var answers: TrackedAnswers
    /// Roots of working trees around where the walk is, the nearest last.
    private var worktrees: [RelativePath] = []
    private let mounts: Set<RelativePath>
    private let judge: (RelativePath) -> HiddenPaths.Verdict
    private var owner: (UInt32, UInt32) = (0, 0)
    private var entriesLeft = WorkspaceLimits.treeEntriesMax

    private static let gitHash = TreeIndex.hash(Array(".git".utf8))

    private(set) var index = TreeIndex()
    /// True if some directory had to be read, so that the new index is worth storing.
    private(set) var isFresh = false

    init(
        cached: TreeIndex,
        unixMilliseconds: UInt64,
        mounts: Set<RelativePath> = [],
        judge: @escaping (RelativePath) -> HiddenPaths.Verdict = HiddenPaths.judge,
        tracked: (any TrackedSource)? = nil
    ) {
        self.cached = cached
        self.mounts = mounts
        self.judge = judge
        let settled = unixMilliseconds - min(unixMilliseconds, WorkspaceLimits.settledMilliseconds)
        settledBefore = FileTime(seconds: Int64(settled / 1000), nanoseconds: Int64(settled % 1000) * 1_000_000)
        answers = TrackedAnswers(source: tracked, known: cached.worktrees, settledBefore: settledBefore)
    }

    mutating func run(root: borrowing Directory) throws {
        let status = try root.status([])
        owner = (status.userID, status.groupID)
        index.device = status.device
        let isSameTree = cached.device == status.device && cached.records.first?.inode == status.inode
        let isSameOwner = cached.records.first.map { ($0.userID, $0.groupID) == owner } ?? false
        let old = isSameTree && isSameOwner ? 0 : nil
        let number = index.append(Self.record([], status), parent: nil)
        if let old, canReuse(old, status) {
            try reuse(old, as: number, directory: root, path: .root, depth: 0)
        } else {
            try read(root, number: number, old: old, path: .root, depth: 0)
        }
        addMounts()
        index.worktrees = answers.worktrees
        isFresh = isFresh || answers.isFresh
    }

    /// Mounted files, and what is mounted where nobody looked. What is hidden is hidden whatever lies there.
    private mutating func addMounts() {
        guard !mounts.isEmpty else { return }
        let hidden = Set(index.hidden)
        let places = mounts.union(index.mountPoints).filter { place in
            !hidden.contains { place.isWithin($0) }
        }
        index.mountPoints = places.sorted()
    }

    private static func record(_ name: [UInt8], _ status: FileStatus) -> TreeIndex.DirectoryRecord {
        TreeIndex.DirectoryRecord(
            name: name,
            inode: status.inode,
            changed: status.changed,
            modified: status.modified,
            mode: status.mode,
            userID: status.userID,
            groupID: status.groupID
        )
    }

    private func canReuse(_ old: Int, _ status: FileStatus) -> Bool {
        let record = cached.records[old]
        return record.isSettled && record.inode == status.inode && record.changed == status.changed
    }

    /// One subdirectory that the parent's listing or its cached record names.
    private mutating func visit(
        _ name: [UInt8],
        in parent: borrowing Directory,
        parentNumber: Int,
        old: Int?,
        path: RelativePath,
        depth: Int
    ) throws {
        guard depth <= WorkspaceLimits.depthMax else {
            throw WorkspaceError(
                .tooLarge,
                "walk the project: \(path.components[0].printable) holds more than \(WorkspaceLimits.depthMax) levels",
                path: path,
                hint: "Remove the deep directories, or move them out of the project."
            )
        }
        guard let status = try parent.statusIfPresent(name), status.kind == .directory else { return }
        guard status.device == index.device, mounts.isEmpty || !mounts.contains(path) else {
            index.update(parentNumber) { $0.mountPoints.append(name) }
            index.mountPoints.append(path)
            return
        }
        let around = worktrees.count
        defer { worktrees.removeSubrange(around...) }
        let isReusable = old.map { canReuse($0, status) } ?? false
        if let old, isReusable, !needsOpening(old) {
            let number = index.append(Self.record(name, status), parent: parentNumber)
            copy(old, to: number, path: path, status: status)
            return
        }
        guard let directory = try Self.openIfAllowed(name, in: parent) else {
            addUnreadable(name, status, to: parentNumber, path: path)
            return
        }
        let opened = try directory.status([])
        let number = index.append(Self.record(name, opened), parent: parentNumber)
        if let old, canReuse(old, opened) {
            try reuse(old, as: number, directory: directory, path: path, depth: depth)
        } else {
            try read(directory, number: number, old: old, path: path, depth: depth)
        }
    }

    /// Nil if the directory may not be read, or is none any more: hidden then, should it come back.
    private static func openIfAllowed(_ name: [UInt8], in parent: borrowing Directory) throws(SystemError) -> Directory?
    {
        do {
            return try parent.directory(name)
        } catch  where [EACCES, EPERM, ENOENT, ENOTDIR, ELOOP].contains(error.code) {
            return nil
        }
    }

    /// A directory that its owner cannot list might hold anything, and the command could change its mode inside:
    /// hidden.
    private mutating func addUnreadable(_ name: [UInt8], _ status: FileStatus, to number: Int, path: RelativePath) {
        let candidate = TreeIndex.Candidate(
            name: name,
            isDirectory: true,
            reason: .unreadable,
            inode: status.inode,
            changed: status.changed
        )
        index.update(number) { record in
            record.candidates.append(candidate)
            // Its mode may change without a trace in this directory.
            record.isSettled = false
        }
        index.hidden.append(path)
    }

    private func needsOpening(_ old: Int) -> Bool {
        let record = cached.records[old]
        return !record.children.isEmpty || !record.mountPoints.isEmpty
            || record.candidates.contains { $0.reason == .privateKey || $0.reason == .notPrivate }
    }

    /// Takes over what an unchanged directory's record says of its own entries.
    private mutating func copy(_ old: Int, to number: Int, path: RelativePath, status: FileStatus) {
        let record = cached.records[old]
        index.addHashes(of: record, in: cached, to: number)
        index.entryCount += record.hashes.count
        index.update(number) { new in
            new.isSettled = true
            new.hasForeignOwner = record.hasForeignOwner
            new.candidates = record.candidates
            new.settingLinks = record.settingLinks
        }
        addSettingLinks(record.settingLinks, in: path)
        noteOwner(path, isForeign: record.hasForeignOwner || (status.userID, status.groupID) != owner)
        hideCandidates(of: number, in: path)
    }

    private mutating func reuse(
        _ old: Int,
        as number: Int,
        directory: borrowing Directory,
        path: RelativePath,
        depth: Int
    ) throws {
        let record = cached.records[old]
        for candidate in record.candidates where candidate.reason == .privateKey || candidate.reason == .notPrivate {
            let status = try directory.statusIfPresent(candidate.name)
            if status?.inode != candidate.inode || status?.changed != candidate.changed {
                try read(directory, number: number, old: old, path: path, depth: depth)
                return
            }
        }
        copy(old, to: number, path: path, status: try directory.status([]))
        for name in record.mountPoints {
            try visitChild(name, in: directory, number: number, old: nil, path: path, depth: depth)
        }
        for child in record.children {
            let name = cached.records[child].name
            try visitChild(name, in: directory, number: number, old: child, path: path, depth: depth)
        }
    }

    private mutating func visitChild(
        _ name: [UInt8],
        in directory: borrowing Directory,
        number: Int,
        old: Int?,
        path: RelativePath,
        depth: Int
    ) throws {
        guard let child = path.appending(name) else { return }
        try visit(name, in: directory, parentNumber: number, old: old, path: child, depth: depth + 1)
    }

    /// Reads a directory afresh.
    private mutating func read(
        _ directory: borrowing Directory,
        number: Int,
        old: Int?,
        path: RelativePath,
        depth: Int
    ) throws {
        isFresh = true
        var isForeign = false
        var hashes: [UInt64] = []
        var candidates: [TreeIndex.Candidate] = []
        var children: [[UInt8]] = []
        var links: [[UInt8]] = []
        let entries = try directory.entries(atMost: entriesLeft, at: path, "walk the project")
        entriesLeft -= entries.count
        hashes.reserveCapacity(entries.count)
        for entry in entries {
            guard let child = path.appending(entry.name) else { continue }
            hashes.append(TreeIndex.hash(entry.name))
            let verdict = judge(child)
            if verdict == .visible, entry.kind == .directory {
                children.append(entry.name)
                continue
            }
            guard let status = try directory.statusIfPresent(entry.name) else { continue }
            if status.kind == .symlink, GateRules.rulesLink(child) { links.append(entry.name) }
            if verdict != .visible, let candidate = candidate(entry.name, verdict, status, in: directory) {
                candidates.append(candidate)
                if candidate.reason != .notPrivate { continue }
            }
            if status.kind == .directory {
                children.append(entry.name)
            } else if (status.userID, status.groupID) != owner {
                isForeign = true
            }
        }
        hashes.sort()
        candidates.sort { $0.name.lexicographicallyPrecedes($1.name) }
        children.sort { $0.lexicographicallyPrecedes($1) }
        links.sort { $0.lexicographicallyPrecedes($1) }
        index.addHashes(sorted: hashes, to: number)
        index.entryCount += entries.count
        let isSettled = index.records[number].changed < settledBefore
        index.update(number) { record in
            record.isSettled = isSettled && !candidates.contains { $0.reason == .unreadable }
            record.hasForeignOwner = isForeign
            record.candidates = candidates
            record.settingLinks = links
        }
        addSettingLinks(links, in: path)
        let own = index.records[number]
        noteOwner(path, isForeign: isForeign || (own.userID, own.groupID) != owner)
        hideCandidates(of: number, in: path)
        for name in children {
            let known = old.flatMap { cached.child(name, of: $0) }
            try visitChild(name, in: directory, number: number, old: known, path: path, depth: depth)
        }
    }

    private func candidate(
        _ name: [UInt8],
        _ verdict: HiddenPaths.Verdict,
        _ status: FileStatus,
        in directory: borrowing Directory
    ) -> TreeIndex.Candidate? {
        let reason: TreeIndex.Candidate.Reason
        switch verdict {
        case .visible:
            return nil
        case .hidden:
            reason = .name
        case .hiddenIfPrivateKey:
            guard status.kind == .file else { return nil }
            reason = Self.privateKeyReason(name, status, in: directory)
        }
        return TreeIndex.Candidate(
            name: name,
            isDirectory: status.kind == .directory,
            reason: reason,
            inode: status.inode,
            changed: status.changed
        )
    }

    private static func privateKeyReason(
        _ name: [UInt8],
        _ status: FileStatus,
        in directory: borrowing Directory
    ) -> TreeIndex.Candidate.Reason {
        do {
            let file = try directory.open(name, flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
            let start = try file.readPrefix(bytesMax: WorkspaceLimits.privateKeyBytesMax)
            return HiddenPaths.holdsPrivateKey(start) ? .privateKey : .notPrivate
        } catch {
            return .unreadable
        }
    }

    private mutating func hideCandidates(of number: Int, in path: RelativePath) {
        if index.holds(Self.gitHash, in: index.records[number]) { worktrees.append(path) }
        for position in index.records[number].candidates.indices {
            let candidate = index.records[number].candidates[position]
            guard candidate.reason != .notPrivate, let full = path.appending(candidate.name) else { continue }
            var isShown = false
            var kept: TreeIndex.Answer?
            if !candidate.isDirectory, candidate.reason != .unreadable, let worktree = worktrees.last {
                (isShown, kept) = answers.answer(full, in: worktree, earlier: candidate.answer)
            }
            if kept != candidate.answer { index.update(number) { $0.candidates[position].answer = kept } }
            if !isShown { index.hidden.append(full) }
        }
    }

    private mutating func addSettingLinks(_ names: [[UInt8]], in path: RelativePath) {
        for name in names { path.appending(name).map { index.settingLinks.append($0) } }
    }

    private mutating func noteOwner(_ path: RelativePath, isForeign: Bool) {
        if isForeign, index.foreignOwner == nil { index.foreignOwner = path }
    }
}

extension [UInt8] {
    var printable: String { Printable.text(self) }

    func containsSequence(_ wanted: [UInt8]) -> Bool {
        guard let first = wanted.first, count >= wanted.count else { return false }
        return withUnsafeBufferPointer { buffer in
            for start in 0...(buffer.count - wanted.count) where buffer[start] == first {
                if (1..<wanted.count).allSatisfy({ buffer[start + $0] == wanted[$0] }) { return true }
            }
            return false
        }
    }
}
