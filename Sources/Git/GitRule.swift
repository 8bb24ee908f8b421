package import Domain

/// One rule over changes inside or around git directories, as `policy explain` lists it.
package struct GitRule: Sendable {
    package let id: RuleID
    package let level: Verdict
    package let pattern: String
    package let reason: String

    private init(_ id: StaticString, _ level: Verdict, _ pattern: String, _ reason: String) {
        self.id = RuleID(id)
        self.level = level
        self.pattern = pattern
        self.reason = reason
    }

    func finding(_ change: Change, detail: String? = nil) -> GateFinding {
        let sentence = detail.map { "\(reason): \($0)" } ?? reason
        return GateFinding(tree: change.tree, path: change.path, rule: id, level: level, reason: sentence)
    }

    static let file = GitRule(
        "git-file",
        .deny,
        "a file or link called .git",
        "a .git file or link makes git use another directory's configuration and hooks"
    )
    static let newDirectory = GitRule(
        "git-new-directory",
        .deny,
        "a new directory with HEAD, objects and refs, or called .git",
        "git would run what a new git directory's configuration and hooks say"
    )
    static let directoryItself = GitRule(
        "git-directory-itself",
        .deny,
        "a git directory as a whole",
        "the git directory itself was removed, replaced or given another mode"
    )
    static let removed = GitRule(
        "git-directory-removed",
        .deny,
        "the removal of a directory that holds a git directory",
        "it would delete a git directory with its history"
    )
    static let configuration = GitRule(
        "git-config",
        .deny,
        "config, config.worktree",
        "git runs commands that its configuration names"
    )
    static let hooks = GitRule("git-hooks", .deny, "hooks/**", "git runs its hooks at the next command")
    static let info = GitRule(
        "git-info",
        .deny,
        "info/**",
        "attributes, excludes and grafts change what git does and shows"
    )
    static let modules = GitRule("git-modules", .deny, "modules/**", "submodules are added or changed by people only")
    static let worktrees = GitRule(
        "git-worktrees",
        .deny,
        "worktrees/**, commondir, gitdir",
        "these files say where git looks for configuration and hooks"
    )
    static let alternates = GitRule(
        "git-alternates",
        .deny,
        "objects/info/alternates, objects/info/http-alternates",
        "git would read another repository's objects"
    )
    static let unfinished = GitRule(
        "git-unfinished",
        .deny,
        "the state of a merge, rebase, bisect, cherry-pick or revert",
        "an operation is under way, and its state can hold commands; finish or abort it first"
    )
    static let shallow = GitRule("git-shallow", .deny, "shallow", "it hides history")
    static let unknown = GitRule(
        "git-unknown",
        .deny,
        "anything else in a git directory",
        "ordinary git work does not change it"
    )
    static let kind = GitRule(
        "git-kind",
        .deny,
        "a link or device in a git directory",
        "git keeps plain files there; a link would lead its writes elsewhere"
    )
    static let mode = GitRule(
        "git-mode",
        .deny,
        "an executable, set-id or world-writable file in a git directory",
        "git's files need no such mode"
    )
    static let name = GitRule(
        "git-ref-name",
        .deny,
        "an ill-formed name below refs or logs",
        "git does not make such names"
    )
    static let content = GitRule(
        "git-content",
        .deny,
        "content that git does not write",
        "the content is not what git writes there"
    )
    static let object = GitRule(
        "git-object",
        .deny,
        "an object that is not what its name says",
        "the object does not verify"
    )
    static let pack = GitRule("git-pack", .deny, "a pack that does not verify", "the pack does not verify")
    static let indexPath = GitRule(
        "git-index-path",
        .deny,
        "an index entry that leaves the working tree",
        "the next checkout would write outside the working tree or into git's own files"
    )
    static let configured = GitRule(
        "git-configured-path",
        .deny,
        "a file that git's configuration or a link in a git directory leads to",
        "git runs or reads it because its own files lead there"
    )
    static let unreadable = GitRule(
        "git-unreadable",
        .deny,
        "a change around git files that cannot be read or understood",
        "what git would do with it cannot be told"
    )
    static let outside = GitRule(
        "git-outside",
        .deny,
        "anything in an outside tree that is no part of a git directory",
        "only git's own files are changed there"
    )
    static let replace = GitRule(
        "git-replace",
        .ask,
        "refs/replace/**",
        "git shows another object in place of the one that was asked for"
    )
    static let hidesChanges = GitRule(
        "git-index-hides",
        .note,
        "an index entry newly marked as unchanged or skipped",
        "git status and git diff no longer look at the file"
    )
    static let keptObjects = GitRule(
        "git-objects-kept",
        .note,
        "the deletion of objects",
        "objects are never deleted; run git gc outside"
    )
    static let leftover = GitRule(
        "git-leftover",
        .note,
        "lock files, temporary objects and caches",
        "git makes it anew when it needs it, so that it is left out"
    )

    /// Every rule.
    package static let all: [GitRule] = [
        file, newDirectory, directoryItself, removed, configuration, hooks, info, modules, worktrees, alternates,
        unfinished,
        shallow, unknown, kind, mode, name, content, object, pack, indexPath, configured, unreadable, outside,
        replace,
        hidesChanges,
        keptObjects, leftover,
    ]
}
