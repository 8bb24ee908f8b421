package import Domain
import Files
package import Workspace

/// Judges changes in and around git directories: a closed list is ordinary, all else there is refused.
///
/// Git runs what its own files say, so that whoever writes them runs code outside at the next git command.
package struct GitInspector: ChangeInspector {
    private let verifyPack: PackVerifier?
    private let userConfigurations: [[UInt8]]
    private let home: String?

    /// - Parameters:
    ///   - verifyPack: without one, new packs are refused.
    ///   - userConfigurations: the content of the user's own git configuration files, whose `core.hooksPath` and the
    /// like
    ///     may point into the project.
    ///   - home: for paths that begin with `~/`.
    package init(verifyPack: PackVerifier?, userConfigurations: [[UInt8]] = [], home: String? = nil) {
        self.verifyPack = verifyPack
        self.userConfigurations = userConfigurations
        self.home = home
    }

    package func inspect(_ changes: [Change], trees: [WorkspaceTree]) throws -> [Inspection] {
        let directories = try GitDirectories(trees)
        let configured = ConfiguredPaths(directories, userConfigurations: userConfigurations, home: home)
        var inspection = GitInspection(directories: directories, configured: configured, verifyPack: verifyPack)
        return try changes.map { change in
            // One answer per change, also where something cannot be read: that change is held, by name and reason.
            do {
                return try inspection.inspect(change)
            } catch let error as GitError {
                return .finding(GitRule.unreadable.finding(change, detail: error.message))
            } catch let error as SystemError {
                return .finding(GitRule.unreadable.finding(change, detail: Printable.text(error.description)))
            }
        }
    }
}

/// One pass over a change set.
private struct GitInspection {
    private let directories: GitDirectories
    private let configured: ConfiguredPaths
    private var contents: GitContentCheck
    private var formats: [GitDirectory: ObjectFormat?] = [:]
    /// Directories of the user's tree that were searched and hold no git directory.
    private var searched: Set<RelativePath> = []

    init(directories: GitDirectories, configured: ConfiguredPaths, verifyPack: PackVerifier?) {
        self.directories = directories
        self.configured = configured
        contents = GitContentCheck(verifyPack: verifyPack)
    }

    mutating func inspect(_ change: Change) throws -> Inspection {
        let isCalledGit = change.path.name.map(GitName.isGit) ?? false
        if isCalledGit, change.file != .directory { return .finding(GitRule.file.finding(change)) }
        if let directory = try directories.enclosing(change.path, tree: change.tree) {
            return try inspect(change, in: directory)
        }
        if isCalledGit { return .finding(GitRule.directoryItself.finding(change)) }
        if let lost = try lostGitDirectory(change) {
            return .finding(GitRule.removed.finding(change, detail: lost.description))
        }
        if change.tree != 0 { return .finding(GitRule.outside.finding(change)) }
        if let finding = try configured.finding(change) { return .finding(finding) }
        return .notMine
    }

    private mutating func inspect(_ change: Change, in directory: GitDirectory) throws -> Inspection {
        guard directory.isInLower else { return .finding(GitRule.newDirectory.finding(change)) }
        // What lies in a directory called .git that is none of its own, such as `.git/hooks/.git/x`, ends up here too.
        guard let path = change.path.relative(to: directory.path) else {
            return .finding(GitRule.unknown.finding(change))
        }
        let isLinked = directory.isLinkedWorktree
        switch GitChangeRules.expectation(change, at: path, isLinkedWorktree: isLinked) {
        case .ordinary:
            // A deleted directory of refs must not take a git directory with it.
            if let lost = try lostGitDirectory(change) {
                return .finding(GitRule.removed.finding(change, detail: lost.description))
            }
            // Throws for a configuration that is not understood: then nothing in the repository is ordinary.
            _ = try objectFormat(of: directory)
            return .ordinary
        case .dropped(let rule): return .dropped(rule.finding(change))
        case .refused(let rule): return .finding(rule.finding(change))
        case .check(let check):
            guard let format = try objectFormat(of: directory) else {
                return .finding(GitRule.content.finding(change, detail: "the repository's object format is not known"))
            }
            let files = try directories.files(change.tree)
            return try contents.inspect(change, check, in: directory, files: files, format: format)
        }
    }

    /// The git directory that a removal or replacement would delete.
    private mutating func lostGitDirectory(_ change: Change) throws -> RelativePath? {
        let mayLose = change.kind == .deleted || change.file != .directory
        guard mayLose, change.tree == 0, !isSearched(change.path) else { return nil }
        guard try directories.files(change.tree).isLowerDirectory(change.path) else { return nil }
        if let found = try directories.first(below: change.path, tree: change.tree) { return found }
        searched.insert(change.path)
        return nil
    }

    private func isSearched(_ path: RelativePath) -> Bool {
        var current = path
        while !searched.isEmpty, !current.isRoot {
            if searched.contains(current) { return true }
            current = current.parent
        }
        return false
    }

    private mutating func objectFormat(of directory: GitDirectory) throws -> ObjectFormat? {
        if let known = formats[directory] { return known }
        let files = try directories.files(directory.tree)
        let path = GitPointer.resolve(String(decoding: directory.path.bytes, as: UTF8.self), from: files.tree.lower)
        let file = try PointedPaths.commonDirectory(of: path) + "/config"
        guard let content = try PointedPaths.content(file) else {
            formats[directory] = .some(.sha1)
            return .sha1
        }
        do {
            let format = try GitConfigFile(content).objectFormat
            formats[directory] = .some(format)
            return format
        } catch {
            throw GitError(error.code, "\(error.message) (\(Printable.text(file)))", hint: error.hint)
        }
    }
}
