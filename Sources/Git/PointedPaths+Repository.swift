import Domain
import Files
import Glibc

/// The git directories of a working tree, and the links in them.
extension PointedPaths {
    /// Levels of hook directories that are searched for links: hooks, and directories of parts that they run.
    private static var hookDepthMax: Int { 2 }
    /// Levels below `modules`: the names of submodules hold slashes, and submodules have submodules.
    private static var moduleDepthMax: Int { 16 }

    /// Takes in the repository of a working tree; false if there is none.
    ///
    /// - Parameter worktree: absolute.
    mutating func add(worktree: String) throws -> Bool {
        let pointer = worktree + "/.git"
        guard let end = LinkChain(Array(pointer.utf8)).end else { return false }
        var git = try Self.text(end)
        switch try Self.kind(git) {
        case .directory: break
        case .file:
            guard let content = try Self.content(git),
                let named = GitPointer.gitDirectory(namedBy: content, in: worktree)
            else { return false }
            git = named
        default: return false
        }
        let shownGit = shown(Array(pointer.utf8))
        try add(pointer, source: shownGit)
        if git != pointer { try add(git, source: shownGit) }
        let common = try Self.commonDirectory(of: git)
        try add(
            gitDirectory: git,
            named: git == (try Self.text(end)) ? pointer : git,
            common: common,
            worktree: worktree
        )
        try addModules(in: common + "/modules", depth: 0)
        try addWorktrees(of: common)
        return true
    }

    /// Takes in every link of a directory of hooks and where it leads, whether or not the directory lies in the tree.
    mutating func addLinks(in directory: [UInt8], depth: Int = 0) throws {
        for (name, kind) in try entries(directory) ?? [] {
            let path = directory + [UInt8(ascii: "/")] + name
            if kind == .symlink { try add(path, source: shown(path)) }
            guard depth + 1 < Self.hookDepthMax, kind == .directory || kind == .symlink else { continue }
            try addLinks(in: path, depth: depth + 1)
        }
    }

    private mutating func add(gitDirectory git: String, named name: String, common: String, worktree: String) throws {
        try addOwnLinks(name)
        if common != git { try addOwnLinks(common) }
        for file in [common + "/config", git + "/config.worktree"] {
            guard let content = try Self.content(file) else { continue }
            try add(configuration: content, at: file, worktree: worktree)
        }
    }

    /// The links that are direct entries of a git directory, and those among its hooks and settings.
    private mutating func addOwnLinks(_ git: String) throws {
        for (name, kind) in try entries(Array(git.utf8)) ?? [] {
            let path = Array(git.utf8) + [UInt8(ascii: "/")] + name
            if kind == .symlink { try add(path, source: shown(path)) }
            let isSearched = ["hooks", "info"].contains(String(decoding: name, as: UTF8.self))
            if isSearched, kind == .directory || kind == .symlink { try addLinks(in: path) }
        }
    }

    private mutating func addModules(in directory: String, depth: Int) throws {
        guard let entries = try entries(Array(directory.utf8)) else { return }
        guard depth < Self.moduleDepthMax else {
            throw GitError(.tooLarge, "read \(shown(Array(directory.utf8))): its directories lie too deep")
        }
        for (name, kind) in entries where kind == .directory || kind == .symlink {
            let child = directory + "/" + (try Self.text(name))
            guard try Self.kind(child + "/HEAD") != nil else {
                try addModules(in: child, depth: depth + 1)
                continue
            }
            let content = try Self.content(child + "/config")
            // One that is not understood is told about below.
            let worktree = content.flatMap { try? GitConfigFile($0).value("core.worktree") } ?? "."
            let root = GitPointer.resolve(worktree, from: child)
            try add(gitDirectory: child, named: child, common: Self.commonDirectory(of: child), worktree: root)
            try addModules(in: child + "/modules", depth: depth + 1)
        }
    }

    private mutating func addWorktrees(of common: String) throws {
        let directory = common + "/worktrees"
        for (name, kind) in try entries(Array(directory.utf8)) ?? [] where kind == .directory || kind == .symlink {
            let git = directory + "/" + (try Self.text(name))
            let named = try Self.content(git + "/gitdir").flatMap(GitPointer.line)
            let worktree = named.map { GitPointer.resolve($0 + "/..", from: git) } ?? git
            try addOwnLinks(git)
            guard let content = try Self.content(git + "/config.worktree") else { continue }
            try add(configuration: content, at: git + "/config.worktree", worktree: worktree)
        }
    }

    static func commonDirectory(of git: String) throws(GitError) -> String {
        guard let content = try content(git + "/commondir"), let path = GitPointer.line(content) else { return git }
        return GitPointer.resolve(path, from: git)
    }

    /// What lies at an absolute path, links above it followed; nil for nothing.
    private static func kind(_ path: String) throws(GitError) -> FileStatus.Kind? {
        guard let slash = path.lastIndex(of: "/") else { return nil }
        do {
            let parent = try Directory(trustedPath: path[..<slash] + "/")
            return try parent.statusIfPresent(Array(path[path.index(after: slash)...].utf8))?.kind
        } catch {
            if error.code == ENOENT || error.code == ENOTDIR { return nil }
            throw unreadable(path, error)
        }
    }

    private static func unreadable(_ path: String, _ error: SystemError) -> GitError {
        GitError(.unreadable, "read \(Printable.text(path)): \(Printable.text(error.description))")
    }

    /// A directory's entries, links above it followed; nil for no directory.
    private mutating func entries(_ path: [UInt8]) throws -> [(name: [UInt8], kind: FileStatus.Kind)]? {
        guard let end = LinkChain(path).end else { return nil }
        let text = try Self.text(end)
        do {
            let directory = try Directory(trustedPath: text)
            let entries = try directory.entries(atMost: entriesLeft)
            entriesLeft -= entries.count
            return try entries.compactMap { (entry) throws(SystemError) in
                if let kind = entry.kind { return (entry.name, kind) }
                return try directory.statusIfPresent(entry.name).map { (entry.name, $0.kind) }
            }
        } catch let error as SystemError {
            switch error.code {
            case ENOENT, ENOTDIR: return nil
            case EOVERFLOW: throw GitError(.tooLarge, "read \(shown(path)): it and its like hold too many entries")
            default: throw Self.unreadable(text, error)
            }
        }
    }
}
