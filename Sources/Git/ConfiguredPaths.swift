import Domain
import Workspace

/// Files of the project that a git configuration outside the command's reach points to: hooks, includes, filters.
///
/// The command cannot change the configuration, but what it points to would run all the same.
final class ConfiguredPaths {
    /// Bounds on following includes.
    private enum Limits {
        static let includeDepthMax = 4
        static let pathsMax = 10_000
    }

    private struct Pointed {
        let path: RelativePath
        let key: String
    }

    private let directories: GitDirectories
    private let userConfigurations: [[UInt8]]
    private let home: String?
    /// By the root of a working tree; nil for a directory that is none.
    private var known: [RelativePath: [Pointed]?] = [:]

    init(_ directories: GitDirectories, userConfigurations: [[UInt8]], home: String?) {
        self.directories = directories
        self.userConfigurations = userConfigurations
        self.home = home
    }

    /// The configuration key that points to a changed path, into it or, where it is replaced, below it.
    func key(pointingTo change: Change) throws -> String? {
        var root = change.path.parent
        while true {
            for pointed in try pointed(from: root, tree: change.tree) ?? [] {
                if change.path.isWithin(pointed.path) { return pointed.key }
                let isReplaced = change.kind == .deleted || change.file != .directory
                if isReplaced, pointed.path.isWithin(change.path) { return pointed.key }
            }
            if root.isRoot { return nil }
            root = root.parent
        }
    }

    private func pointed(from root: RelativePath, tree: Int) throws -> [Pointed]? {
        if let answer = known[root] { return answer }
        let answer = try find(from: root, files: directories.files(tree))
        known[root] = .some(answer)
        return answer
    }

    private func find(from root: RelativePath, files: TreeFiles) throws -> [Pointed]? {
        guard let git = root.appending(Array(".git".utf8)), try files.isInLower(git) else { return nil }
        let worktree = GitPointer.resolve(String(decoding: root.bytes, as: UTF8.self), from: files.tree.lower)
        var gitDirectory = worktree + "/.git"
        if try !files.isLowerDirectory(git) {
            guard let content = GitPointer.read(gitDirectory),
                let named = GitPointer.gitDirectory(namedBy: content, in: worktree)
            else { return nil }
            gitDirectory = named
        }
        var found: [Pointed] = []
        let common = GitRepository.commonDirectory(of: gitDirectory)
        for file in [common + "/config", gitDirectory + "/config.worktree"] {
            guard let content = GitPointer.read(file, bytesMax: GitConfigFile.Limits.bytesMax) else { continue }
            try collect(content, at: file, worktree: worktree, files: files, depth: 0, into: &found)
        }
        for content in userConfigurations {
            let file = (home ?? "/nonexistent") + "/.gitconfig"
            try collect(content, at: file, worktree: worktree, files: files, depth: 0, into: &found)
        }
        return found
    }

    private func collect(
        _ content: [UInt8],
        at file: String,
        worktree: String,
        files: TreeFiles,
        depth: Int,
        into found: inout [Pointed]
    ) throws {
        for entry in try parse(content, file: file).entries {
            guard let value = entry.value, let meaning = ConfigKeyMeaning(entry) else { continue }
            switch meaning {
            case .path: add(value, from: worktree, key: entry.name, files: files, into: &found)
            case .include:
                let base = GitPointer.resolve("..", from: file)
                add(value, from: base, key: entry.name, files: files, into: &found)
                let path = absolute(value, from: base)
                guard depth < Limits.includeDepthMax, files.relative(path) != nil,
                    let more = GitPointer.read(path, bytesMax: GitConfigFile.Limits.bytesMax)
                else { continue }
                try collect(more, at: path, worktree: worktree, files: files, depth: depth + 1, into: &found)
            case .command:
                for word in Self.words(value) { add(word, from: worktree, key: entry.name, files: files, into: &found) }
            }
            guard found.count <= Limits.pathsMax else {
                throw GitError(.tooLarge, "read a git configuration: it points to too many files")
            }
        }
    }

    private func parse(_ content: [UInt8], file: String) throws -> GitConfigFile {
        do {
            return try GitConfigFile(content)
        } catch {
            let hint =
                "Check \(Printable.text(file)) with git config --list; no change is applied before it is understood."
            throw GitError(error.code, error.message, hint: hint)
        }
    }

    private func add(_ value: String, from base: String, key: String, files: TreeFiles, into found: inout [Pointed]) {
        let path = absolute(value, from: base)
        guard let inside = files.relative(path), !inside.isRoot else { return }
        found.append(Pointed(path: inside, key: key))
        // The same by its real name, where a link of the user's lies on the way.
        if let real = RealPath.of(path), real != path, let inside = files.relative(real), !inside.isRoot {
            found.append(Pointed(path: inside, key: key))
        }
    }

    private func absolute(_ value: String, from base: String) -> String {
        if value.hasPrefix("~/"), let home { return GitPointer.resolve(String(value.dropFirst(2)), from: home) }
        return GitPointer.resolve(value, from: base)
    }

    /// The words of a command line that could be files.
    private static func words(_ command: String) -> [String] {
        let separators = Set(" \t\n'\"!;|&()<>=$`")
        return command.split { separators.contains($0) }.map(String.init).filter { !$0.hasPrefix("-") && $0 != "." }
    }
}

/// What a configuration key's value means to git.
private enum ConfigKeyMeaning {
    case path, include, command

    init?(_ entry: GitConfigFile.Entry) {
        let name = entry.section + "." + entry.key
        switch name {
        case "core.hookspath", "core.attributesfile", "init.templatedir": self = .path
        case "include.path", "includeif.path": self = .include
        // An alias without `!` is a git command.
        case _ where entry.section == "alias":
            guard entry.value?.hasPrefix("!") == true else { return nil }
            self = .command
        case _ where Self.commands.contains(name) || entry.section == "pager": self = .command
        default: return nil
        }
    }

    private static let commands: Set<String> = [
        "core.fsmonitor", "core.sshcommand", "core.editor", "core.pager", "core.askpass", "core.gitproxy",
        "core.alternaterefscommand", "sequence.editor", "diff.external", "diff.command", "diff.textconv",
        "merge.driver",
        "filter.clean", "filter.smudge", "filter.process", "credential.helper", "gpg.program", "gpg.defaultkeycommand",
        "difftool.cmd", "difftool.path", "mergetool.cmd", "mergetool.path", "interactive.difffilter",
        "uploadpack.packobjectshook", "trailer.command", "trailer.cmd", "web.browser", "browser.cmd", "browser.path",
        "man.cmd",
        "man.path", "hook.command", "remote.uploadpack", "remote.receivepack", "remote.vcs", "submodule.update",
        "guitool.cmd",
        "imap.tunnel", "sendemail.sendmailcmd", "sendemail.smtpserver", "sendemail.tocmd", "sendemail.cccmd",
        "tar.command",
        "lfs.customtransfer", "annex.externaltool",
    ]
}
