import Domain
import Files
import Glibc

/// Places of one tree that a repository's configuration and links lead to: hooks, includes, filters, attributes.
struct PointedPaths {
    /// Bounds on what is followed.
    enum Limits {
        static let includeDepthMax = 4
        static let placesMax = 10_000
        /// Entries of hook, settings and submodule directories together.
        static let entriesMax = 20_000
    }

    struct Place {
        let path: RelativePath
        /// True where only the place itself counts: what lies below it is not led to.
        let isExact: Bool
        let source: String
    }

    let files: TreeFiles
    private let home: String?
    private(set) var places: [Place] = []
    var entriesLeft = Limits.entriesMax

    init(files: TreeFiles, home: String?) {
        self.files = files
        self.home = home
    }

    /// Takes in one configuration file and what it includes.
    mutating func add(configuration content: [UInt8], at file: String, worktree: String, depth: Int = 0) throws {
        for entry in try parse(content, file: file).entries {
            guard let value = entry.value, let meaning = ConfigKeyMeaning(entry) else { continue }
            switch meaning {
            case .path: try add(absolute(value, from: worktree), source: entry.name)
            case .hooks:
                let directory = absolute(value, from: worktree)
                try add(directory, source: entry.name)
                try addHookNames(in: directory, source: entry.name)
                try addLinks(in: Array(directory.utf8))
            case .include:
                let path = absolute(value, from: GitPointer.resolve("..", from: file))
                try add(path, source: entry.name)
                guard depth < Limits.includeDepthMax, let more = try Self.content(path) else { continue }
                try add(configuration: more, at: path, worktree: worktree, depth: depth + 1)
            case .command:
                for word in Self.words(value) { try add(absolute(word, from: worktree), source: entry.name) }
            case .executable:
                guard let word = Self.words(value).first, word.contains("/") else { continue }
                let path = absolute(word, from: worktree)
                if try isExecutable(path) { try add(path, source: entry.name) }
            }
        }
    }

    /// Whether a path leads to an executable file of the tree.
    private func isExecutable(_ path: String) throws -> Bool {
        guard let end = LinkChain(Array(path.utf8)).end, let inside = files.relative(end), !inside.isRoot,
            let status = try files.lowerStatus(inside)
        else { return false }
        return status.kind == .file && status.mode & 0o111 != 0
    }

    /// Takes in a path, the links on the way to it, and where it ends.
    mutating func add(_ path: String, source: String) throws { try add(Array(path.utf8), source: source) }

    mutating func add(_ path: [UInt8], source: String) throws {
        let chain = LinkChain(path)
        // As it is written, too: what lies on the way need not be there yet.
        let ends = [GitPointer.withoutDots(path), chain.end].compactMap { $0 }
        let passed = chain.passed.map { ($0, true) }
        for (place, isExact) in passed + Set(ends).map({ ($0, false) }) {
            guard let inside = files.relative(place), !inside.isRoot else { continue }
            guard places.count < Limits.placesMax else {
                throw GitError(.tooLarge, "follow a git configuration: it leads to too many files")
            }
            places.append(Place(path: inside, isExact: isExact, source: source))
        }
    }

    /// Where the whole project is the directory of hooks, only the names of hooks are held.
    private mutating func addHookNames(in directory: String, source: String) throws {
        let path = Array(directory.utf8)
        let ends = [GitPointer.withoutDots(path), LinkChain(path).end].compactMap { $0 }
        guard ends.contains(where: { files.relative($0)?.isRoot == true }) else { return }
        for name in Self.hookNames { try add(directory + "/" + name, source: source) }
    }

    /// A file's content, links followed; nil if there is none.
    static func content(_ path: String) throws(GitError) -> [UInt8]? {
        guard let end = LinkChain(Array(path.utf8)).end, let slash = end.lastIndex(of: UInt8(ascii: "/")) else {
            return nil
        }
        let name = Array(end[(slash + 1)...])
        do {
            let parent = try Directory(trustedPath: try text(end[..<slash]) + "/")
            guard let status = try parent.statusIfPresent(name) else { return nil }
            guard status.kind == .file else { throw SystemError("read", code: EISDIR) }
            return try FileContent.read(name, in: parent, bytesMax: GitConfigFile.Limits.bytesMax)
        } catch let error as SystemError {
            if error.code == ENOENT || error.code == ENOTDIR { return nil }
            throw GitError(.unreadable, "read \(Printable.text(path)): \(Printable.text(error.description))")
        } catch let error as GitError {
            throw error
        } catch {
            throw GitError(.unreadable, "read \(Printable.text(path)): \(error)")
        }
    }

    /// A path that can be opened by its text.
    static func text(_ path: some Collection<UInt8>) throws(GitError) -> String {
        guard let text = String(validating: path, as: UTF8.self) else {
            throw GitError(.unreadable, "read \(Printable.text(Array(path))): the path is not valid UTF-8")
        }
        return text
    }

    private func parse(_ content: [UInt8], file: String) throws(GitError) -> GitConfigFile {
        do {
            return try GitConfigFile(content)
        } catch {
            throw GitError(error.code, "\(error.message) (\(shown(Array(file.utf8))))", hint: error.hint)
        }
    }

    /// A path as people know it: below the project where it lies there.
    func shown(_ path: [UInt8]) -> String {
        files.relative(path).map(\.description) ?? Printable.text(path)
    }

    private func absolute(_ value: String, from base: String) -> String {
        if value.hasPrefix("~/"), let home { return home + "/" + value.dropFirst(2) }
        return value.hasPrefix("/") ? value : base + "/" + value
    }

    /// The words of a command line that could be files.
    private static func words(_ command: String) -> [String] {
        let separators = Set(" \t\n'\"!;|&()<>=$`")
        return command.split { separators.contains($0) }.map(String.init).filter { !$0.hasPrefix("-") && $0 != "." }
    }

    private static let hookNames = [
        "applypatch-msg", "pre-applypatch", "post-applypatch", "pre-commit", "pre-merge-commit", "prepare-commit-msg",
        "commit-msg", "post-commit", "pre-rebase", "post-checkout", "post-merge", "pre-push", "pre-receive", "update",
        "proc-receive", "post-receive", "post-update", "reference-transaction", "push-to-checkout", "pre-auto-gc",
        "post-rewrite", "sendemail-validate", "fsmonitor-watchman", "post-index-change", "p4-changelist",
        "p4-prepare-changelist", "p4-post-changelist", "p4-pre-submit",
    ]
}
