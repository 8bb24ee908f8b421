import Domain
import Files
import Glibc

/// Shows a change set as people know it from git, one printable line at a time: nothing in a name or a content can
/// move a terminal's cursor or pass for a line of Bailey's own.
package struct UnifiedDiff {
    /// A file larger than this is only named.
    package static let fileBytesMax = 4 << 20
    /// A file with more lines than this is only named.
    package static let fileLinesMax = 100_000
    /// Bytes of one line that are shown.
    package static let lineBytesMax = 4_096
    private static let contextLines = 3

    /// What a line is, which its first character alone does not tell.
    package enum LineKind: Sendable {
        case header, hunk, kept, removed, added
        /// In place of lines that are not shown, or about one.
        case remark
    }

    private let plan: WorkspacePlan
    private let put: (LineKind, String) throws -> Void

    /// - Parameter sink: takes each line, without its end.
    package init(_ plan: WorkspacePlan, sink: @escaping (String) throws -> Void) {
        self.init(plan, lines: { _, line in try sink(line) })
    }

    /// - Parameter lines: takes each line, without its end, and what it is.
    package init(_ plan: WorkspacePlan, lines: @escaping (LineKind, String) throws -> Void) {
        self.plan = plan
        put = lines
    }

    private func sink(_ header: String) throws { try put(.header, header) }

    /// Shows every change of the set, from the trees as they are now.
    package func show(_ set: ChangeSet) throws(WorkspaceError) {
        try WorkspaceError.attempt("show the changes of the run") {
            let trees = try plan.trees.map { try OpenTree($0) }
            for change in set.changes where plan.trees.indices.contains(change.tree) {
                try show(change, trees[change.tree])
            }
        }
    }

    private func show(_ change: Change, _ tree: OpenTree) throws {
        let name = Self.name(change)
        if change.file == .directory {
            return try showDirectory(change, name)
        }
        try sink("diff --git a/\(name) b/\(name)")
        let mode = change.mode.map { Self.mode(change.file, $0) } ?? ""
        switch change.kind {
        case .created:
            try sink("new file mode \(mode)")
        case .deleted:
            try sink("deleted file mode \(Self.mode(change.file, change.previousMode ?? 0))")
        case .changed, .mode:
            let previous = Self.mode(change.file, change.previousMode ?? 0)
            if previous != mode {
                try sink("old mode \(previous)")
                try sink("new mode \(mode)")
            }
        }
        if change.kind != .mode { try showContent(change, tree, name) }
    }

    private func showDirectory(_ change: Change, _ name: String) throws {
        switch change.kind {
        case .created: try sink("new directory \(name)")
        case .deleted: try sink("deleted directory \(name)")
        case .changed: try sink("replaced by a directory: \(name)")
        case .mode:
            let previous = String(change.previousMode ?? 0, radix: 8)
            try sink("directory \(name): mode \(previous) to \(String(change.mode ?? 0, radix: 8))")
        }
    }

    private static func name(_ change: Change) -> String {
        let name = change.path.description
        return change.tree == 0 ? name : "(git directory \(change.tree))/" + name
    }

    private static func mode(_ kind: FileKind, _ bits: UInt32) -> String {
        let type: UInt32 =
            switch kind {
            case .file: 0o100000
            case .directory: 0o040000
            case .symlink: 0o120000
            case .fifo: 0o010000
            case .socket: 0o140000
            case .device: 0o020000
            }
        let text = String(type | (kind == .symlink ? 0 : bits), radix: 8)
        return text.utf8.count < 6 ? "0" + text : text
    }

    /// A file's content as the diff sees it.
    private enum Content {
        case nothing
        case text([UInt8])
        case binary
        case tooLarge
        case unreadable
        /// Not what was listed: whoever decides by it must not be shown it.
        case altered
    }

    private func showContent(_ change: Change, _ tree: OpenTree, _ name: String) throws {
        let old = change.kind == .created ? .nothing : try Self.content(tree.lower, change.path)
        let new = change.kind == .deleted ? .nothing : try Self.content(ChangedTree(tree.source.tree), change)
        switch (old, new) {
        case (_, .altered):
            try put(.remark, "The file is not what was listed when the command ended: something wrote to it since.")
        case (.tooLarge, _), (_, .tooLarge):
            try put(.remark, "The file is too large to show (more than \(Self.fileBytesMax) bytes).")
        case (.unreadable, _), (_, .unreadable):
            try put(.remark, "The file's former content cannot be read (\(change.size) bytes now).")
        case (.binary, _), (_, .binary):
            try put(.remark, "Binary files differ (\(change.size) bytes now).")
        default:
            try showText(Self.text(old), Self.text(new), name, change)
        }
    }

    private static func text(_ content: Content) -> [UInt8]? {
        if case .text(let bytes) = content { return bytes }
        return nil
    }

    /// What the user's tree holds.
    private static func content(_ root: borrowing Directory, _ path: RelativePath) throws -> Content {
        do {
            guard let name = path.name, let parent = try root.directoryIfPresent(at: path.parent.components) else {
                return .nothing
            }
            return try content(name, in: parent) { () throws(SystemError) in
                try parent.open(name, flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
            }
        } catch let error as SystemError where error.code == EACCES {
            return .unreadable
        }
    }

    /// What the command left, also in what it shut.
    private static func content(_ changed: ChangedTree, _ change: Change) throws -> Content {
        guard let name = change.path.name else { return .nothing }
        let parent = try changed.directory(change.path.parent)
        return try content(name, in: parent, listed: change.digest) { () throws(SystemError) in
            try changed.open(change.path)
        }
    }

    private static func content(
        _ name: [UInt8],
        in parent: borrowing Directory,
        listed digest: Digest? = nil,
        open: () throws(SystemError) -> Descriptor
    ) throws -> Content {
        guard let status = try parent.statusIfPresent(name) else { return .nothing }
        switch status.kind {
        case .symlink:
            return .text(try parent.linkTarget(name))
        case .file:
            guard status.size <= UInt64(fileBytesMax) else { return .tooLarge }
            let file = try open()
            let bytes = try file.readPrefix(bytesMax: fileBytesMax)
            if let digest, ContentHash.of(bytes) != digest { return .altered }
            let isBinary = bytes.prefix(WorkspaceLimits.textProbeBytes).contains(0)
            return isBinary ? .binary : .text(bytes)
        case .directory, .fifo, .socket, .characterDevice, .blockDevice:
            return .nothing
        }
    }

    private func showText(_ old: [UInt8]?, _ new: [UInt8]?, _ name: String, _ change: Change) throws {
        let oldLines = Self.lines(old ?? [])
        let newLines = Self.lines(new ?? [])
        guard oldLines.count <= Self.fileLinesMax, newLines.count <= Self.fileLinesMax else {
            return try put(.remark, "The file has too many lines to show (more than \(Self.fileLinesMax)).")
        }
        let numbers = Self.numbered(oldLines + newLines)
        let split = oldLines.count
        guard let steps = LineDifference.steps(Array(numbers[..<split]), Array(numbers[split...])) else {
            return try put(
                .remark,
                "The file differs in too many lines to show (more than \(LineDifference.editsMax))."
            )
        }
        let hunks = Self.hunks(steps)
        if hunks.isEmpty { return }
        try sink(old == nil ? "--- /dev/null" : "--- a/\(name)")
        try sink(new == nil ? "+++ /dev/null" : "+++ b/\(name)")
        for hunk in hunks { try show(steps[hunk], oldLines, newLines) }
    }

    /// Lines with their ends, so that a missing one at the end of a file is a difference.
    private static func lines(_ bytes: [UInt8]) -> [ArraySlice<UInt8>] {
        var lines: [ArraySlice<UInt8>] = []
        var start = 0
        for (index, byte) in bytes.enumerated() where byte == UInt8(ascii: "\n") {
            lines.append(bytes[start...index])
            start = index + 1
        }
        if start < bytes.count { lines.append(bytes[start...]) }
        return lines
    }

    /// One number for all equal lines, so that comparing two takes one step, however long and alike they are.
    private static func numbered(_ lines: [ArraySlice<UInt8>]) -> [Int] {
        var known: [ArraySlice<UInt8>: Int] = [:]
        return lines.map { line in
            let number = known[line] ?? known.count
            known[line] = number
            return number
        }
    }

    /// Ranges of steps that hold changes with some context, joined where the context meets.
    private static func hunks(_ steps: [LineDifference.Step]) -> [Range<Int>] {
        var hunks: [Range<Int>] = []
        for (index, step) in steps.enumerated() {
            if case .keep = step { continue }
            let low = max(0, index - contextLines)
            let high = min(steps.count, index + contextLines + 1)
            if let last = hunks.last, low <= last.upperBound {
                hunks[hunks.count - 1] = last.lowerBound..<high
            } else {
                hunks.append(low..<high)
            }
        }
        return hunks
    }

    private func show(
        _ steps: ArraySlice<LineDifference.Step>,
        _ old: [ArraySlice<UInt8>],
        _ new: [ArraySlice<UInt8>]
    ) throws {
        var (oldFirst, oldCount, newFirst, newCount) = (Int?.none, 0, Int?.none, 0)
        for step in steps {
            switch step {
            case .keep(let oldLine, let newLine):
                oldFirst = oldFirst ?? oldLine
                newFirst = newFirst ?? newLine
                oldCount += 1
                newCount += 1
            case .remove(let line):
                oldFirst = oldFirst ?? line
                oldCount += 1
            case .insert(let line):
                newFirst = newFirst ?? line
                newCount += 1
            }
        }
        try put(.hunk, "@@ -\(Self.range(oldFirst, oldCount)) +\(Self.range(newFirst, newCount)) @@")
        for step in steps {
            switch step {
            case .keep(let line, _): try show(old[line], .kept, mark: " ")
            case .remove(let line): try show(old[line], .removed, mark: "-")
            case .insert(let line): try show(new[line], .added, mark: "+")
            }
        }
    }

    private static func range(_ first: Int?, _ count: Int) -> String {
        let start = count == 0 ? 0 : (first ?? 0) + 1
        return count == 1 ? "\(start)" : "\(start),\(count)"
    }

    private func show(_ line: ArraySlice<UInt8>, _ kind: LineKind, mark: String) throws {
        let isEnded = line.last == UInt8(ascii: "\n")
        let content = isEnded ? line.dropLast() : line
        let shown = content.prefix(Self.lineBytesMax)
        let rest = content.count - shown.count
        try put(kind, mark + Self.printable(shown) + (rest > 0 ? " … \(rest) more bytes" : ""))
        if !isEnded { try put(.remark, "\\ No newline at end of file") }
    }

    /// Printable text that keeps its tabs.
    private static func printable(_ bytes: ArraySlice<UInt8>) -> String {
        bytes.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
            .map { Printable.text($0) }
            .joined(separator: "\t")
    }
}
