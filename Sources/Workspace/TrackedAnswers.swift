import Domain
import Files

/// Answers which sensitive files git shows anyway, from an earlier walk's answers where nothing changed since.
///
/// A kept answer counts only while the files that git's answer was read from have the same identity (device, inode,
/// size, mtime, ctime), and, where the file's own bytes were compared, while it has the same inode and ctime. Each
/// identity is taken before what it stands for is read, and kept only once it is settled: a change at any later moment
/// gives another one.
struct TrackedAnswers {
    private let source: (any TrackedSource)?
    /// Those of the earlier walk, to whose numbers its answers refer.
    private let known: [TreeIndex.Worktree]
    private let settledBefore: FileTime
    /// The number of each working tree in ``worktrees``; nil for one whose answers are not kept.
    private var numbers: [RelativePath: Int?] = [:]
    /// For each of ``worktrees`` its number in ``known``, if it was known and nothing changed there.
    private var earlierNumbers: [Int?] = []

    private(set) var worktrees: [TreeIndex.Worktree] = []
    /// True if an answer was found that is worth storing.
    private(set) var isFresh = false

    init(source: (any TrackedSource)?, known: [TreeIndex.Worktree], settledBefore: FileTime) {
        self.source = source
        self.known = known
        self.settledBefore = settledBefore
    }

    /// Whether the file's bytes are those that git has, and the answer to be kept for the next walk.
    ///
    /// - Parameter worktree: the root of the nearest working tree around the file.
    mutating func answer(
        _ path: RelativePath,
        in worktree: RelativePath,
        earlier: TreeIndex.Answer?
    ) -> (isShown: Bool, kept: TreeIndex.Answer?) {
        guard let source else { return (false, nil) }
        guard let number = number(of: worktree, source) else {
            return (source.tracking(path, in: worktree) == .unchanged, nil)
        }
        if let earlier, earlierNumbers[number] == earlier.worktree, isCurrent(earlier, path, source) {
            return (earlier.tracking == .unchanged, earlier.moved(to: number))
        }
        let status = source.status(path)
        guard let tracking = source.tracking(path, in: worktree) else { return (false, nil) }
        let isSettled = status.map { $0.kind == .file && $0.changed < settledBefore } ?? false
        guard let status, isSettled || tracking == .absent else { return (tracking == .unchanged, nil) }
        isFresh = true
        let file = tracking == .absent ? nil : TreeIndex.FileIdentity(inode: status.inode, changed: status.changed)
        return (tracking == .unchanged, TreeIndex.Answer(tracking: tracking, worktree: number, file: file))
    }

    private func isCurrent(_ answer: TreeIndex.Answer, _ path: RelativePath, _ source: any TrackedSource) -> Bool {
        guard let file = answer.file else { return answer.tracking == .absent }
        guard let status = source.status(path) else { return false }
        return status.kind == .file && file == TreeIndex.FileIdentity(inode: status.inode, changed: status.changed)
    }

    private mutating func number(of worktree: RelativePath, _ source: any TrackedSource) -> Int? {
        if let number = numbers[worktree] { return number }
        var number: Int?
        if let state = source.state(of: worktree), state.changed < settledBefore {
            number = worktrees.count
            let current = TreeIndex.Worktree(root: worktree, identity: state.identity)
            worktrees.append(current)
            earlierNumbers.append(known.firstIndex(of: current))
        }
        numbers[worktree] = .some(number)
        return number
    }
}
