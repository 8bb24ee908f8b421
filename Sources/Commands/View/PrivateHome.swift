import Domain
import Files
import Glibc
import Sandbox

/// The home that a command finds: fresh, with listed caches that persist for this project and profile.
enum PrivateHome {
    /// Where package managers keep what they downloaded or built. None of these is ever on PATH.
    static let caches = [
        ".cache", ".npm", ".cargo/registry", ".cargo/git", ".m2/repository", ".gradle/caches", "go/pkg/mod",
    ]
    static let profile = "default"

    static func make(
        caller: Caller,
        project: ProjectID,
        projectPath: String,
        state: borrowing StateDirectory,
        gitConfiguration: [(path: String, content: String)]
    ) throws -> SandboxRequest.Home {
        var home = SandboxRequest.Home(path: caller.home)
        home.files = gitConfiguration
        let homes = try state.directory("homes")
        let directory = try ensure(profile, in: try ensure(project.rawValue, in: homes))
        let path = state.path + "/homes/\(project)/\(profile)"
        // A cache that would cover the project, or lie in it, is left out.
        for cache in caches where !overlaps(caller.home + "/" + cache, projectPath) {
            let name = cache.replacing("/", with: "_")
            _ = try ensure(name, in: directory)
            // Root's caches belong to an id that is nobody's: a set-uid file in them is worth nothing outside.
            if caller.isRoot {
                try directory.setOwner(
                    Array(name.utf8),
                    userID: HostIdentity.cacheOwnerID,
                    groupID: HostIdentity.cacheOwnerID
                )
            }
            home.caches.append(.init(path: cache, hostDirectory: path + "/" + name))
        }
        return home
    }

    private static func overlaps(_ cache: String, _ project: String) -> Bool {
        cache == project || cache.hasPrefix(project + "/") || project.hasPrefix(cache + "/")
    }

    /// Empties the private homes of a project.
    static func reset(_ project: ProjectID, state: borrowing StateDirectory) throws {
        try state.directory("homes").removeTree(Array(project.rawValue.utf8))
    }

    private static func ensure(_ name: String, in directory: borrowing Directory) throws(SystemError) -> Directory {
        do {
            try directory.makeDirectory(Array(name.utf8), mode: 0o700)
        } catch  where error.code == EEXIST {}
        return try directory.directory(Array(name.utf8))
    }
}
