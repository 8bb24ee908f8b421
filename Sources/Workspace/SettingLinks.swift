import Domain
import Files
import Glibc
import Policy

/// What links with a setting's name lead to. A program that reads the setting reads that, so that a change there is as
/// good as one of the setting: `AGENTS.md -> docs/agents.txt`, `.claude/hooks -> ../tools`, `.github -> build/github`.
struct SettingLinks {
    /// One way on which a place is reached.
    private struct Way {
        /// The path by which programs know the place.
        let shown: RelativePath
        /// Of that path; nil if only names below it have one.
        let rule: GateRule?
    }

    private let tree: WorkspaceTree
    /// The tree's root as it is given and without links.
    private let roots: [[[UInt8]]]
    /// Where links end: the place and all below it.
    private var ends: [RelativePath: [Way]] = [:]
    /// What was passed on the way: links, and directories that `..` left.
    private var passed: [RelativePath: [Way]] = [:]
    /// Directories above all of these.
    private var above: [RelativePath: [Way]] = [:]
    private var waiting: [(link: RelativePath, way: Way)] = []
    private var seen: Set<[String]> = []
    private var placesLeft = WorkspaceLimits.linkedPlacesMax
    private var entriesLeft = WorkspaceLimits.linkedEntriesMax
    /// A link that was not followed to all that it leads to.
    private(set) var unfollowed: RelativePath?

    init(_ source: WorkspacePlan.Tree) {
        tree = source.tree
        let path = Array(tree.lower.utf8)
        roots = [path, LinkChain(path).end ?? path].map(Self.names)
        for link in source.index.settingLinks { enqueue(link, shown: link) }
        while unfollowed == nil, let (link, way) = waiting.popLast() { follow(link, way) }
    }

    /// What is said of a change of something that such a link leads to; nil if none does.
    func finding(_ change: Change) -> GateFinding? {
        guard change.tree == tree.index else { return nil }
        var strongest: (rule: GateRule, shown: RelativePath)?
        func consider(_ rule: GateRule?, _ shown: RelativePath) {
            guard let rule, rule.level > strongest?.rule.level ?? .allow else { return }
            strongest = (rule, shown)
        }
        let isReplaced = change.kind == .deleted || change.file != .directory
        var place = change.path
        while !ends.isEmpty {
            for way in ends[place] ?? [] {
                let shown = way.shown.appending(change.path.relative(to: place) ?? .root)
                consider(way.rule ?? GateRules.rule(reaching: shown), way.shown)
                if place == change.path, isReplaced { consider(GateRules.rule(below: way.shown), way.shown) }
            }
            if place.isRoot { break }
            place = place.parent
        }
        for way in (passed[change.path] ?? []) + (isReplaced ? above[change.path] ?? [] : []) {
            consider(way.rule ?? GateRules.rule(below: way.shown), way.shown)
        }
        return strongest.map { rule, shown in
            GateFinding(
                tree: change.tree,
                path: change.path,
                rule: rule.id,
                level: rule.level,
                reason: "the link \(shown) leads there: \(rule.reason)"
            )
        }
    }

    /// What is said of the whole set where not every link could be followed; nil if all were.
    var wholeSetFinding: GateFinding? {
        unfollowed.map { link in
            GateFinding(
                tree: tree.index,
                path: link,
                rule: RuleID("link-not-followed"),
                level: .ask,
                reason: "links with the names of settings lead to more than can be looked at, so that any change "
                    + "may be one of a setting"
            )
        }
    }

    /// What is said of a new link that has no rule itself, in whose place settings would lie; nil for any other change.
    static func finding(newLink change: Change) -> GateFinding? {
        guard change.tree == 0, change.kind != .deleted, change.file == .symlink,
            let rule = GateRules.rule(below: change.path)
        else { return nil }
        return GateFinding(
            tree: change.tree,
            path: change.path,
            rule: rule.id,
            level: rule.level,
            reason: "settings are looked for below this link: \(rule.reason)"
        )
    }

    private mutating func enqueue(_ link: RelativePath, shown: RelativePath) {
        let rule = GateRules.rule(reaching: shown)
        guard rule != nil || GateRules.rule(below: shown) != nil else { return }
        // Followed once for each rule: a link to a directory above it would never end otherwise.
        let key = [link.description, rule?.id.rawValue ?? shown.name.map(Printable.text) ?? ""]
        guard seen.insert(key).inserted else { return }
        waiting.append((link, Way(shown: shown, rule: rule)))
    }

    private mutating func follow(_ link: RelativePath, _ way: Way) {
        let chain = LinkChain(Array(tree.lower.utf8) + [UInt8(ascii: "/")] + link.bytes)
        for place in chain.passed.compactMap(inside) where place != link && !place.isRoot {
            add(place, way, to: \.passed)
        }
        guard let end = chain.end.flatMap(inside) else { return }
        add(end, way, to: \.ends)
        guard let root = try? Directory(trustedPath: tree.lower) else { return stop(at: link) }
        do {
            guard try end.isRoot || root.statusIfPresent(at: end)?.kind == .directory else { return }
            try visit(root.directory(at: end.components), path: end, shown: way.shown, depth: 0)
        } catch {
            stop(at: link)
        }
    }

    /// Finds the links in a directory that a link leads to.
    private mutating func visit(
        _ directory: borrowing Directory,
        path: RelativePath,
        shown: RelativePath,
        depth: Int
    ) throws {
        guard depth <= WorkspaceLimits.depthMax else { return stop(at: shown) }
        let entries = try directory.entries(atMost: entriesLeft)
        entriesLeft -= entries.count
        for entry in entries {
            guard let child = path.appending(entry.name), let known = shown.appending(entry.name) else { continue }
            switch try entry.kind ?? directory.statusIfPresent(entry.name)?.kind {
            case .symlink: enqueue(child, shown: known)
            case .directory:
                try visit(directory.directory(entry.name), path: child, shown: known, depth: depth + 1)
            default: continue
            }
        }
    }

    private mutating func add(
        _ place: RelativePath,
        _ way: Way,
        to table: WritableKeyPath<SettingLinks, [RelativePath: [Way]]>
    ) {
        guard placesLeft > 0 else { return stop(at: way.shown) }
        placesLeft -= 1
        append(way, at: place, to: table)
        var directory = place
        while !directory.isRoot {
            directory = directory.parent
            append(way, at: directory, to: \.above)
        }
    }

    /// One way for each rule says all.
    private mutating func append(
        _ way: Way,
        at place: RelativePath,
        to table: WritableKeyPath<SettingLinks, [RelativePath: [Way]]>
    ) {
        let isKnown = self[keyPath: table][place]?.contains {
            $0.rule?.id == way.rule?.id && (way.rule != nil || $0.shown == way.shown)
        }
        if isKnown != true { self[keyPath: table][place, default: []].append(way) }
    }

    private mutating func stop(at link: RelativePath) { unfollowed = unfollowed ?? link }

    /// Nil for what lies outside.
    private func inside(_ path: [UInt8]) -> RelativePath? {
        let names = Self.names(path)
        guard let root = roots.first(where: { names.starts(with: $0) }) else { return nil }
        let rest = names.dropFirst(root.count)
        return rest.isEmpty ? .root : RelativePath(bytes: Array(rest.joined(separator: [UInt8(ascii: "/")])))
    }

    private static func names(_ path: [UInt8]) -> [[UInt8]] {
        path.split(separator: UInt8(ascii: "/")).map { Array($0) }
    }
}

extension Directory {
    fileprivate func statusIfPresent(at path: RelativePath) throws(SystemError) -> FileStatus? {
        do {
            return try status(at: path.components)
        } catch  where [ENOENT, ENOTDIR, ELOOP].contains(error.code) {
            return nil
        }
    }
}
