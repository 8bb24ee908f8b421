import Files
import Glibc

/// A file that says what commands may do.
enum OperatorFile {
    /// Its bytes; nil where there is none. One that widens what commands may do must be its owner's alone to write.
    ///
    /// - Parameter ownersAllowed: nil for the project's file, which comes from anywhere and can only narrow.
    static func read(_ path: String, ownersAllowed: [UInt32]?, bytesMax: Int) throws -> [UInt8]? {
        let raw = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (ownersAllowed == nil ? O_NOFOLLOW : 0))
        guard raw >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw CommandError(ExitStatus.failed, "read \(path): \(String(cString: strerror(errno)))")
        }
        let file = Descriptor(owning: raw)
        var status = stat()
        guard fstat(file.raw, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw CommandError(ExitStatus.failed, "read \(path): it is not a regular file")
        }
        if let ownersAllowed, !ownersAllowed.contains(status.st_uid) || status.st_mode & 0o022 != 0 {
            throw CommandError(
                ExitStatus.failed,
                "trust \(path): others can change it",
                hint: "chown it to yourself and run: chmod go-w \(path)"
            )
        }
        return try FileContent.read(file, bytesMax: bytesMax)
    }
}
