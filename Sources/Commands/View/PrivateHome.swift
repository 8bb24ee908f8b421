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
        gitConfiguration: [(path: String, content: String)],
        agent: AgentHome?
    ) throws -> SandboxRequest.Home {
        var home = SandboxRequest.Home(path: caller.home)
        home.files = gitConfiguration + (agent?.files ?? [])
        let directory = try ensure(project.rawValue, in: try state.directory("homes"))
        let path = state.path + "/homes/\(project)"
        try keep(caches, of: profile, in: directory, path, projectPath, caller, &home)
        if let agent { try keep(agent.state, of: agent.profile, in: directory, path, projectPath, caller, &home) }
        return home
    }

    /// Has directories below the home persist for a profile.
    private static func keep(
        _ places: [String],
        of profile: String,
        in parent: borrowing Directory,
        _ parentPath: String,
        _ projectPath: String,
        _ caller: Caller,
        _ home: inout SandboxRequest.Home
    ) throws {
        let directory = try ensure(profile, in: parent)
        let path = parentPath + "/" + profile
        // One that would cover the project, or lie in it, is left out.
        for cache in places where !overlaps(caller.home + "/" + cache, projectPath) {
            let name = cache.replacing("/", with: "_")
            _ = try ensureOpen(name, in: directory)
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
    }

    private static func overlaps(_ cache: String, _ project: String) -> Bool {
        cache == project || cache.hasPrefix(project + "/") || project.hasPrefix(cache + "/")
    }

    /// Empties the private homes of a project.
    static func reset(_ project: ProjectID, state: borrowing StateDirectory) throws {
        try state.directory("homes").removeTree(Array(project.rawValue.utf8))
    }

    /// One that a command of an earlier run may have shut, to keep the runs after it from beginning.
    private static func ensureOpen(_ name: String, in directory: borrowing Directory) throws(SystemError) -> Directory {
        do { return try ensure(name, in: directory) } catch  where error.code == EACCES {
            try directory.openUp(Array(name.utf8))
            return try ensure(name, in: directory)
        }
    }

    private static func ensure(_ name: String, in directory: borrowing Directory) throws(SystemError) -> Directory {
        do {
            try directory.makeDirectory(Array(name.utf8), mode: 0o700)
        } catch  where error.code == EEXIST {}
        return try directory.directory(Array(name.utf8))
    }
}
