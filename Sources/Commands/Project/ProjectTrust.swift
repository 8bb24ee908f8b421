import Domain
import Files
import Glibc

/// Whether a project's place can be relied on for the length of a run: whoever may rename its directories could put
/// others in their place while the command runs, and have the caller's own files brought in from there.
enum ProjectTrust {
    static func check(_ project: String, caller: Caller) throws(CommandError) {
        var status = stat()
        guard lstat(project, &status) == 0 else {
            throw CommandError(ExitStatus.usage, "open the project \(project): \(String(cString: strerror(errno)))")
        }
        guard status.st_uid == caller.userID else {
            throw CommandError(
                ExitStatus.failed,
                "use the project \(project): it belongs to user \(status.st_uid), not to you (\(caller.userID))",
                hint: caller.isRoot
                    ? "Run bailey as its owner (setpriv or sudo -u), or give the project to root."
                    : "Take a copy of your own."
            )
        }
        var path = project
        while path != "/" {
            guard lstat(path, &status) == 0 else { break }
            let isSticky = status.st_mode & S_ISVTX != 0
            let isOthers = status.st_uid != 0 && status.st_uid != caller.userID
            if isOthers || (status.st_mode & S_IWOTH != 0 && !isSticky) {
                throw CommandError(
                    ExitStatus.failed,
                    "use the project \(project): others can change \(path), where it lies",
                    hint: "Move the project below a directory that only you and root can change."
                )
            }
            path = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
            if path.isEmpty { path = "/" }
        }
        try checkConfiguration(project, caller)
    }

    /// A project that holds the operator's configuration would let a command write what it may do next time.
    private static func checkConfiguration(_ project: String, _ caller: Caller) throws(CommandError) {
        let file = ConfigurationFiles.operatorFile(caller)
        let directory = String(file[..<(file.lastIndex(of: "/") ?? file.startIndex)])
        for path in [file, directory] {
            guard let real = Caller.resolved(path), real == project || real.hasPrefix(project + "/") else { continue }
            throw CommandError(
                ExitStatus.failed,
                "use the project \(project): your configuration \(path) lies in it",
                hint: "Keep it outside, or set XDG_CONFIG_HOME."
            )
        }
    }
}
