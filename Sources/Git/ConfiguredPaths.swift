import Domain
import Files
import Workspace

/// Files of the project that git runs or reads because its own files, which the command cannot change, lead there: by
/// configuration or by a link.
final class ConfiguredPaths {
    /// Directories above the project that are looked at for a repository: PATH_MAX holds no more.
    private static let levelsMax = 2048

    private enum Repository {
        case none
        case leads(PlaceLookup)
        /// Not understood, and why: what it leads to is not known.
        case unclear(String)
    }

    private let directories: GitDirectories
    private let userConfigurations: [[UInt8]]
    private let home: String?
    /// By the root of a working tree.
    private var known: [RelativePath: Repository] = [:]
    /// The repository that the whole project lies in.
    private var above: Repository?

    init(_ directories: GitDirectories, userConfigurations: [[UInt8]], home: String?) {
        self.directories = directories
        self.userConfigurations = userConfigurations
        self.home = home
    }

    /// What git would do with a changed path of the project; nil if nothing leads there.
    func finding(_ change: Change) throws -> GateFinding? {
        let files = try directories.files(change.tree)
        var root = change.path.isRoot ? change.path : change.path.parent
        while true {
            if let finding = finding(change, in: try repository(at: root, files)) { return finding }
            if root.isRoot { return finding(change, in: repository(above: files)) }
            root = root.parent
        }
    }

    /// What the repositories with these working trees, and the one above, lead to. Throws where a repository is not
    /// understood: what it leads to is not known.
    func leading(worktrees: [RelativePath], _ files: TreeFiles) throws -> [PlaceLookup] {
        var repositories = [repository(above: files)]
        for root in worktrees { repositories.append(try repository(at: root, files)) }
        return try repositories.compactMap { repository in
            switch repository {
            case .none: return nil
            case .leads(let places): return places
            case .unclear(let reason): throw GitError(.unreadable, "follow a git configuration: \(reason)")
            }
        }
    }

    private func finding(_ change: Change, in repository: Repository) -> GateFinding? {
        switch repository {
        case .none: nil
        case .unclear(let reason): GitRule.unreadable.finding(change, detail: reason)
        case .leads(let places):
            places.source(leadingTo: change).map { GitRule.configured.finding(change, detail: $0) }
        }
    }

    private func repository(at root: RelativePath, _ files: TreeFiles) throws -> Repository {
        if let answer = known[root] { return answer }
        let answer: Repository
        if let git = root.appending(Array(".git".utf8)), try files.isInLower(git) {
            let below = root.isRoot ? [] : [UInt8(ascii: "/")] + root.bytes
            answer = read(Array(files.tree.lower.utf8) + below, files)
        } else {
            answer = .none
        }
        known[root] = answer
        return answer
    }

    /// A repository above whose directory nobody lets us into is none: git would not enter it either.
    private func repository(above files: TreeFiles) -> Repository {
        if let above { return above }
        var answer = Repository.none
        var path = files.tree.lower
        for _ in 0..<Self.levelsMax {
            guard path != "/" else { break }
            path = GitPointer.resolve("..", from: path)
            guard let directory = try? Directory(trustedPath: path),
                let git = try? directory.status(Array(".git".utf8)),
                git.kind != .directory || (try? directory.directory(Array(".git".utf8)).status([])) != nil
            else { continue }
            answer = read(Array(path.utf8), files)
            break
        }
        above = answer
        return answer
    }

    private func read(_ worktree: [UInt8], _ files: TreeFiles) -> Repository {
        do {
            let path = try PointedPaths.text(worktree)
            var paths = PointedPaths(files: files, home: home)
            guard try paths.add(worktree: path) else { return .none }
            for content in userConfigurations {
                let file = (home ?? "/nonexistent") + "/.gitconfig"
                try paths.add(configuration: content, at: file, worktree: path)
            }
            return .leads(PlaceLookup(paths.places))
        } catch let error as GitError {
            return .unclear(error.message)
        } catch {
            return .unclear(Printable.text("\(error)"))
        }
    }
}
