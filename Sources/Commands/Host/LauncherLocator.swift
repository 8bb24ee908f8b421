import Glibc

/// Finds the launcher: beside `bailey`, and changeable by nobody who could not change `bailey`.
enum LauncherLocator {
    static func locate(caller: Caller) throws(CommandError) -> String {
        let directory = caller.executable[..<(caller.executable.lastIndex(of: "/") ?? caller.executable.startIndex)]
        let path = directory + "/bailey-launcher"
        var status = stat()
        guard lstat(String(path), &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw CommandError(
                ExitStatus.failed,
                "find the launcher: \(path) does not exist",
                hint: "bailey-launcher must lie beside bailey; build both or install both."
            )
        }
        guard status.st_uid == 0 || status.st_uid == caller.userID, status.st_mode & 0o022 == 0 else {
            throw CommandError(
                ExitStatus.failed,
                "trust the launcher: others can write to \(path)",
                hint: "chmod go-w \(path)"
            )
        }
        return String(path)
    }
}
