import Files

/// The git directories outside a project that its `.git` file names: those of a linked working tree, or of a repository
/// with a separate git directory.
///
/// The file comes with the project, from anywhere. It is believed only where the git directory belongs to the caller
/// and itself names this project; else a downloaded file would show somebody's private repository to the command.
package enum OutsideGitDirectory: Sendable, Equatable {
    /// The project has no git directory, or has it inside.
    case notNeeded
    /// Absolute paths to bring into the view, none within another.
    case mount([String], hasAlternates: Bool)
    /// Why the directory is not brought in, as a sentence's second half.
    case refused(reason: String)

    /// - Parameters:
    ///   - project: the project's absolute path, without symbolic links.
    ///   - callerUserID: who must own the git directories.
    package static func find(project: String, callerUserID: UInt32) -> OutsideGitDirectory {
        guard let root = try? Directory(trustedPath: project),
            let status = try? root.statusIfPresent(Array(".git".utf8))
        else { return .notNeeded }
        if status.kind == .directory { return .notNeeded }
        guard status.kind == .file, let content = GitPointer.read(project + "/.git"),
            let named = GitPointer.gitDirectory(namedBy: content, in: project)
        else { return .refused(reason: "the project's .git is neither a directory nor a file that names one") }
        guard let directory = RealPath.of(named) else {
            return .refused(reason: "the git directory that the project's .git file names is not there")
        }
        if isWithin(directory, project) { return .notNeeded }
        return judge(directory, project: project, callerUserID: callerUserID)
    }

    private static func judge(_ directory: String, project: String, callerUserID: UInt32) -> OutsideGitDirectory {
        let common = RealPath.of(GitRepository.commonDirectory(of: directory)) ?? directory
        if isWithin(project, directory) || isWithin(project, common) {
            return .refused(reason: "the git directory that the project's .git file names holds the project")
        }
        guard isOwned(directory, by: callerUserID), isOwned(common, by: callerUserID) else {
            return .refused(reason: "the git directory that the project's .git file names belongs to somebody else")
        }
        guard isGitDirectory(common) else {
            return .refused(reason: "what the project's .git file names is no git directory")
        }
        guard pointsBack(directory, common: common, project: project) else {
            return .refused(reason: "the git directory that the project's .git file names does not name this project")
        }
        let alternates = (GitPointer.read(common + "/objects/info/alternates") ?? []).contains { $0 > 0x20 }
        let paths = isWithin(directory, common) ? [common] : [common, directory]
        return .mount(paths, hasAlternates: alternates)
    }

    /// Git writes `gitdir` into a linked working tree's directory, and `core.worktree` into one that was moved out.
    private static func pointsBack(_ directory: String, common: String, project: String) -> Bool {
        if directory != common {
            // Where git puts it; elsewhere a forged `commondir` could name any repository.
            guard directory.hasPrefix(common + "/worktrees/"), let content = GitPointer.read(directory + "/gitdir"),
                let file = GitPointer.line(content)
            else { return false }
            let named = GitPointer.resolve(file, from: directory)
            return named.hasSuffix("/.git") && RealPath.of(String(named.dropLast("/.git".count))) == project
        }
        let files = [directory + "/config", directory + "/config.worktree"]
        for file in files {
            guard let content = GitPointer.read(file, bytesMax: GitConfigFile.Limits.bytesMax),
                let configuration = try? GitConfigFile(content), let worktree = configuration.value("core.worktree")
            else { continue }
            if RealPath.of(GitPointer.resolve(worktree, from: directory)) == project { return true }
        }
        return false
    }

    private static func isGitDirectory(_ path: String) -> Bool {
        guard let directory = try? Directory(trustedPath: path) else { return false }
        return ["HEAD", "objects", "refs"].allSatisfy { name in
            (try? directory.statusIfPresent(Array(name.utf8))) != nil
        }
    }

    private static func isOwned(_ path: String, by userID: UInt32) -> Bool {
        guard let directory = try? Directory(trustedPath: path), let status = try? directory.status([]) else {
            return false
        }
        return status.kind == .directory && status.userID == userID
    }

    private static func isWithin(_ path: String, _ directory: String) -> Bool {
        path == directory || path.hasPrefix(directory + "/")
    }
}
