import Files
import Glibc

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
        guard mayHold(name, indexOf: git),
            let bytes = GitPointer.read(git + "/index", bytesMax: GitIndex.Limits.bytesMax),
            let configuration = GitRepository.configuration(of: git),
            let format = try? GitConfigFile(configuration).objectFormat,
            let index = try? GitIndex(bytes, format: format)
        else { return false }
        let prefix = path + Array("/".utf8)
        return index.entries.contains { $0.path == path || $0.path.starts(with: prefix) }
    }

    /// A look at each piece of the file that spares parsing a large index, and holding it. Version 4 shortens names, so
    /// that its bytes tell nothing. False if there is no index.
    private static func mayHold(_ name: String, indexOf git: String) -> Bool {
        guard GitPointer.status(git + "/index") != nil, let directory = try? Directory(trustedPath: git),
            let file = try? directory.open(Array("index".utf8), flags: O_RDONLY | O_NONBLOCK | O_NOCTTY)
        else { return false }
        let word = Array(name.utf8)
        var before: [UInt8] = []
        var bytesRead = 0
        var isFound = false
        do throws(SystemError) {
            try FileContent.forEachChunk(file) { (chunk: UnsafeRawBufferPointer) throws(SystemError) in
                if bytesRead == 0, chunk.count < 8 || chunk[7] >= 4 { isFound = true }
                bytesRead += chunk.count
                // What lies across the border of two pieces is looked at by itself.
                before += chunk.prefix(word.count - 1)
                isFound = isFound || chunk.holds(word) || before.withUnsafeBytes { $0.holds(word) }
                before = Array((before + chunk.suffix(word.count - 1)).suffix(word.count - 1))
            }
        } catch {
            return true
        }
        return isFound
    }
}

extension UnsafeRawBufferPointer {
    /// Looks at the last byte of each place first, and passes over as many places as that byte allows (Horspool).
    fileprivate func holds(_ word: [UInt8]) -> Bool {
        guard let start = baseAddress?.assumingMemoryBound(to: UInt8.self), let final = word.last else { return false }
        let length = word.count
        var steps = [Int](repeating: length, count: 256)
        for (position, byte) in word.dropLast().enumerated() { steps[Int(byte)] = length - 1 - position }
        return steps.withUnsafeBufferPointer { steps in
            var end = length
            while end <= count {
                let last = start[end - 1]
                if last == final, memcmp(start + end - length, word, length) == 0 { return true }
                end += steps[Int(last)]
            }
            return false
        }
    }
}
