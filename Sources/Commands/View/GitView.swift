import Domain
import Files
import Git
import Glibc
import Workspace

/// What git knows of a project, for the parts of a run that ask: which git directories lie outside, which files are
/// tracked as they are, what the private home says of the user, what a change in a git directory means.
struct GitView: Sendable {
    /// Bytes of a configuration or ignore file of the user's that are read.
    private static let fileBytesMax = 1 << 20
    private static let excludesFile = ".config/git/ignore"

    /// Absolute paths of git directories outside the project that belong to it.
    let outsideDirectories: [String]
    /// Why a git directory outside is not shown, if one was named.
    let refusal: String?
    /// Says which sensitive files git shows anyway, so that hiding them is not worth it.
    let tracked: TrackedFiles
    /// The start of the private home: the user's identity for commits, nothing that runs.
    let homeFiles: [(path: String, content: String)]
    private let project: String
    private let caller: Caller
    private let configurations: [[UInt8]]

    /// - Parameter console: is told why a git directory outside is not shown.
    init(project: String, caller: Caller, console: Console? = nil) throws {
        self.project = project
        self.caller = caller
        tracked = TrackedFiles(projectPath: project)
        switch OutsideGitDirectory.find(project: project, callerUserID: caller.userID) {
        case .notNeeded: (outsideDirectories, refusal) = ([], nil)
        case .mount(let paths, hasAlternates: _): (outsideDirectories, refusal) = (paths, nil)
        case .refused(let reason): (outsideDirectories, refusal) = ([], reason)
        }
        if let refusal { console?.remark("the git directory stays outside: \(refusal)") }
        let configHome = caller.environment["XDG_CONFIG_HOME"] ?? caller.home + "/.config"
        configurations = ["/etc/gitconfig", configHome + "/git/config", caller.home + "/.gitconfig"]
            .compactMap(Self.content)
        homeFiles = Self.homeFiles(GitIdentity(layers: configurations), caller: caller)
    }

    func isTrackedUnchanged(_ path: RelativePath) -> Bool { tracked.isTrackedUnchanged(path) }

    func inspector(verifyPack: @escaping PackVerifier) -> any ChangeInspector {
        GitInspector(verifyPack: verifyPack, userConfigurations: configurations, home: caller.home)
    }

    /// For a command that works on the project itself.
    var liveInspector: any LiveInspector {
        GitLiveInspector(userConfigurations: configurations, home: caller.home)
    }

    private static func homeFiles(_ identity: GitIdentity, caller: Caller) -> [(path: String, content: String)] {
        var files: [(path: String, content: String)] = []
        var excludesPath: String?
        if let named = identity.excludesFile {
            let path = named.hasPrefix("~/") ? caller.home + named.dropFirst(1) : named
            if let bytes = content(path), !bytes.contains(0), let text = String(validating: bytes, as: UTF8.self) {
                files.append((excludesFile, text))
                excludesPath = caller.home + "/" + excludesFile
            }
        }
        let hasLFS = access("/usr/bin/git-lfs", X_OK) == 0 || access("/usr/local/bin/git-lfs", X_OK) == 0
        let text = identity.render(excludesPath: excludesPath, hasLFS: hasLFS, ownersDiffer: caller.isRoot)
        if !text.isEmpty { files.append((".gitconfig", text)) }
        return files
    }

    private static func content(_ path: String) -> [UInt8]? {
        try? FileContent.read(trustedPath: path, bytesMax: fileBytesMax)
    }
}
