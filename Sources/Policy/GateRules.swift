package import Domain

/// The commit gate's rules over names, kinds, modes and links. Changes inside git directories are judged by who
/// understands them; asked about one all the same, these rules deny it.
package enum GateRules {
    /// Directories outside the project that an absolute link may point into: what every command sees read-only.
    package static let systemRoots = ["/usr", "/opt", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"]

    /// Every rule, with what it looks at, its level and its reason.
    package static let all: [GateRule] = GateRuleTable.properties + GateRuleTable.paths

    /// The strongest finding on one change, or nil if it is ordinary.
    ///
    /// - Parameters:
    ///   - toolchainRoots: absolute paths of toolchain directories that the command saw read-only.
    ///   - newEnvironments: see ``newEnvironments(_:)``.
    package static func judge(
        _ change: Change,
        toolchainRoots: [String] = [],
        newEnvironments: Set<RelativePath> = []
    ) -> GateFinding? {
        let names = FoldedName.fold(change.path)
        var strongest: (rule: GateRule, level: Verdict)?
        func consider(_ rule: GateRule) {
            let isItsOwn = rule.id == RuleID("python-start") && isBelow(newEnvironments, change.path)
            let level = isItsOwn ? .note : rule.level
            if level > strongest?.level ?? .allow { strongest = (rule, level) }
        }
        index.forEachMatch(names) { rule in
            // What runs later does not run when it is gone, and a directory is no script.
            if rule.level > .note || (change.kind != .deleted && change.file != .directory) { consider(rule) }
        }
        for rule in GateRuleTable.properties {
            guard case .property(let property) = rule.subject else { continue }
            if has(change, names, property, toolchainRoots: toolchainRoots) { consider(rule) }
        }
        return strongest.map { rule, level in
            GateFinding(tree: change.tree, path: change.path, rule: rule.id, level: level, reason: rule.reason)
        }
    }

    /// The strongest rule over a name that denies or asks whatever is changed there; nil where no name rule does.
    ///
    /// It is asked from the root down: a path below one that has such a rule may get no answer of its own.
    package static func guardingRule(for path: RelativePath) -> GateRule? {
        guard let name = path.name else { return nil }
        guard FoldedName.fold(name).contains(where: index.mayEnd) || HiddenPaths.judge(path) == .hidden else {
            return nil
        }
        if let rule = namedRule(path) { return rule }
        return HiddenPaths.judge(path) == .hidden ? secretRule : nil
    }

    /// As above, and also for a path below one that has such a rule.
    package static func rule(reaching path: RelativePath) -> GateRule? {
        namedRule(path) ?? (HiddenPaths.hides(path) ? secretRule : nil)
    }

    /// A rule that denies or asks over names that a directory of this name could hold, such as `.github`; nil where
    /// only the names themselves matter.
    package static func rule(below path: RelativePath) -> GateRule? {
        path.name.flatMap { FoldedName.fold($0).last }.flatMap { parents[$0] }
    }

    /// Whether a link at this path is a setting, or settings would be looked for below it. Those of git's are followed
    /// by who understands git.
    package static func rulesLink(_ path: RelativePath) -> Bool {
        guard let rule = rule(reaching: path) else { return rule(below: path) != nil }
        return rule.id != RuleID("git-directory")
    }

    private static func namedRule(_ path: RelativePath) -> GateRule? {
        var strongest: GateRule?
        index.forEachMatch(FoldedName.fold(path)) { rule in
            if rule.level >= .ask, rule.level > strongest?.level ?? .allow { strongest = rule }
        }
        return strongest
    }

    private static let secretRule = all.first { $0.subject == .property(.secretName) }

    /// The strongest rule by each plain name that a pattern has before its last.
    private static let parents: [[UInt8]: GateRule] = {
        var parents: [[UInt8]: GateRule] = [:]
        for rule in GateRuleTable.paths where rule.level >= .ask {
            guard case .path(let pattern) = rule.subject else { continue }
            for name in pattern.names.dropLast().compactMap(\.literal) {
                if rule.level > parents[name]?.level ?? .allow { parents[name] = rule }
            }
        }
        return parents
    }()

    /// Python environments that the command made from nothing: every program in them is the command's, so that a start
    /// file adds nothing to it. One that was there before, in whole or in part, is none of them.
    package static func newEnvironments(_ changes: [Change]) -> Set<RelativePath> {
        let marker = Array("pyvenv.cfg".utf8)
        var directories: Set<RelativePath> = []
        var candidates: Set<RelativePath> = []
        for change in changes where change.tree == 0 && change.kind == .created {
            if change.file == .directory { directories.insert(change.path) }
            if change.file == .file, change.path.name == marker { candidates.insert(change.path.parent) }
        }
        return directories.intersection(candidates)
    }

    private static func isBelow(_ directories: Set<RelativePath>, _ path: RelativePath) -> Bool {
        var current = path
        while !directories.isEmpty, !current.isRoot {
            current = current.parent
            if directories.contains(current) { return true }
        }
        return false
    }

    private static let index = GateRuleIndex(GateRuleTable.paths)

    private static func has(
        _ change: Change,
        _ names: [[UInt8]],
        _ property: GateRule.Property,
        toolchainRoots: [String]
    ) -> Bool {
        if property == .foreignTree { return change.tree != 0 }
        // What is gone has no name, kind or mode that could do harm.
        if change.kind == .deleted { return false }
        let mode = change.mode ?? 0
        let added = mode & ~(change.previousMode ?? 0)
        return switch property {
        case .foreignTree: true
        case .unreadableName: change.path.components.contains { !NameText.isUTF8($0) }
        case .deceptiveName: change.path.components.contains { NameText.isUTF8($0) && NameText.isDeceptive($0) }
        case .optionName: change.path.name?.first == UInt8(ascii: "-")
        case .backslashName: change.path.components.contains { $0.contains(UInt8(ascii: "\\")) }
        case .device: change.file == .device
        case .setID: change.file != .directory && change.file != .symlink && mode & 0o6000 != 0
        case .shutProject: change.path.isRoot && change.file == .directory && mode & 0o700 != 0o700
        case .shutDirectory: !change.path.isRoot && change.file == .directory && mode & 0o700 != 0o700
        case .secretName: HiddenPaths.hides(folded(names) ?? change.path)
        case .setGroupDirectory: change.file == .directory && added & 0o6000 != 0
        case .worldWritable: (change.file == .file || change.file == .directory) && added & 0o002 != 0
        case .newExecutable: change.file == .file && added & 0o111 != 0
        case .dropped: change.file == .fifo || change.file == .socket
        case .leavingLink, .protectedLink, .hiddenLink, .systemLink:
            change.file == .symlink && judge(link: change, roots: systemRoots + toolchainRoots) == property
        }
    }

    /// - Parameter names: folded, so that no shape of a name that another system takes for a secret's is missed.
    private static func folded(_ names: [[UInt8]]) -> RelativePath? {
        RelativePath(bytes: Array(names.joined(separator: [UInt8(ascii: "/")])))
    }

    private static func judge(link change: Change, roots: [String]) -> GateRule.Property? {
        guard let target = change.linkTarget, NameText.isUTF8(target), !NameText.isDeceptive(target) else {
            return .leavingLink
        }
        switch LinkTarget(target, of: change.path, readableRoots: roots) {
        case .leaves: return .leavingLink
        case .system: return .systemLink
        case .inside(let path):
            var isProtected = false
            index.forEachMatch(FoldedName.fold(path)) { if $0.level == .deny { isProtected = true } }
            if isProtected { return .protectedLink }
            return HiddenPaths.hides(path) ? .hiddenLink : nil
        }
    }
}
