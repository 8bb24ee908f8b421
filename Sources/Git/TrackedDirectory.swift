import Files

/// Says whether git tracks a directory of a project, so that a checkout could replace what lies in it.
package enum TrackedDirectory {
    /// Directories that are looked at for `.git`, from the project upwards: PATH_MAX holds no more.
    private static let levelsMax = 2048

    /// True if the index of the repository around `project` holds `name` or anything below it. A project outside git,
    /// and an index that is not understood, are a no: this is a warning of a mistake and not what trust rests on.
    ///
    /// - Parameter project: absolute, without symbolic links.
    package static func isTracked(_ name: String, inProject project: String) -> Bool {
        var worktree = project
        var below = name
        for _ in 0..<levelsMax {
            if let git = gitDirectory(of: worktree) { return holds(Array(below.utf8), indexOf: git, name: name) }
            guard let slash = worktree.lastIndex(of: "/"), worktree != "/" else { return false }
            below = worktree[worktree.index(after: slash)...] + "/" + below
            worktree = slash == worktree.startIndex ? "/" : String(worktree[..<slash])
        }
        return false
    }

    private static func gitDirectory(of worktree: String) -> String? {
        let path = worktree + "/.git"
        if GitPointer.read(path + "/HEAD") != nil { return path }
        return GitPointer.read(path).flatMap { GitPointer.gitDirectory(namedBy: $0, in: worktree) }
    }

    private static func holds(_ path: [UInt8], indexOf git: String, name: String) -> Bool {
        guard let bytes = GitPointer.read(git + "/index", bytesMax: GitIndex.Limits.bytesMax), mayHold(name, bytes),
            let configuration = GitRepository.configuration(of: git),
            let format = try? GitConfigFile(configuration).objectFormat,
            let index = try? GitIndex(bytes, format: format)
        else { return false }
        let prefix = path + Array("/".utf8)
        return index.entries.contains { $0.path == path || $0.path.starts(with: prefix) }
    }

    /// A look that spares parsing a large index. Version 4 shortens names, so that its bytes tell nothing.
    private static func mayHold(_ name: String, _ bytes: [UInt8]) -> Bool {
        guard bytes.count > 8, bytes[7] < 4, let first = name.utf8.first else { return true }
        let word = Array(name.utf8)
        return bytes.indices.contains { bytes[$0] == first && bytes[$0...].starts(with: word) }
    }
}
