import Files
import Glibc

/// Finds the project: `--project`, else the nearest directory above that holds `.bailey`, else the git root, else the
/// working directory. Never `/` and never the home directory itself.
enum ProjectLocator {
    static func locate(explicit: String?, caller: Caller) throws(CommandError) -> String {
        let path = try candidate(explicit, caller)
        guard path != "/" else {
            throw CommandError(
                ExitStatus.usage,
                "choose a project: / is not a project",
                hint: "Change into a project directory or name one with --project."
            )
        }
        guard path != caller.home else {
            throw CommandError(
                ExitStatus.usage,
                "choose a project: \(path) is your home directory, not a project",
                hint: "Change into a project directory or name one with --project."
            )
        }
        guard !caller.home.hasPrefix(path + "/") else {
            throw CommandError(ExitStatus.usage, "choose a project: \(path) contains your home directory")
        }
        for system in ["/etc", "/proc", "/sys", "/dev", "/boot", "/usr", "/bin", "/lib", "/run"]
        where path == system
            || (path.hasPrefix(system + "/") && ["/etc", "/proc", "/sys", "/dev", "/boot"].contains(system))
        {
            throw CommandError(ExitStatus.usage, "choose a project: \(path) belongs to the system")
        }
        return path
    }

    private static func candidate(_ explicit: String?, _ caller: Caller) throws(CommandError) -> String {
        if let explicit {
            var status = stat()
            guard let path = Caller.resolved(explicit), stat(path, &status) == 0 else {
                throw CommandError(
                    ExitStatus.usage,
                    "open the project \(explicit): \(String(cString: strerror(errno)))",
                    hint: "--project takes an existing directory."
                )
            }
            guard status.st_mode & S_IFMT == S_IFDIR else {
                throw CommandError(ExitStatus.usage, "open the project \(explicit): it is not a directory")
            }
            return path
        }
        return nearest(".bailey", caller) ?? nearest(".git", caller) ?? caller.workingDirectory
    }

    /// The nearest directory from the working directory upwards that holds an entry; not the home, not the root.
    private static func nearest(_ name: String, _ caller: Caller) -> String? {
        var directory = caller.workingDirectory
        while directory != "/", directory != caller.home, !directory.isEmpty {
            var status = stat()
            if lstat(directory + "/" + name, &status) == 0 { return directory }
            directory = String(directory[..<(directory.lastIndex(of: "/") ?? directory.startIndex)])
        }
        return nil
    }
}
