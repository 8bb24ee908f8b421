import Glibc

/// Finds the programs that `bailey` starts: beside it, and changeable by nobody who could not change `bailey`.
enum LauncherLocator {
    static func locate(_ name: String = "bailey-launcher", caller: Caller) throws(CommandError) -> String {
        let directory = caller.executable[..<(caller.executable.lastIndex(of: "/") ?? caller.executable.startIndex)]
        let path = directory + "/" + name
        var status = stat()
        guard lstat(String(path), &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw CommandError(
                ExitStatus.failed,
                "find \(name): \(path) does not exist",
                hint: "\(name) must lie beside bailey; build them together or install them together."
            )
        }
        guard status.st_uid == 0 || status.st_uid == caller.userID, status.st_mode & 0o022 == 0 else {
            throw CommandError(
                ExitStatus.failed,
                "trust \(name): others can write to \(path)",
                hint: "chmod go-w \(path)"
            )
        }
        return String(path)
    }
}
