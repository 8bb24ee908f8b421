import Files
import Glibc
import Policy

/// Reads the configuration's layers from their places.
enum ConfigurationFiles {
    private static let bytesMax = 1 << 20

    static func load(caller: Caller, project: String) throws -> Configuration {
        try Configuration.load(
            system: try source("/etc/bailey/config.yml", caller, ownersAllowed: [0]),
            operator: try source(operatorFile(caller), caller, ownersAllowed: [0, caller.userID]),
            project: try source(project + "/bailey.yml", caller, ownersAllowed: nil)
        )
    }

    static func operatorFile(_ caller: Caller) -> String {
        let base = caller.environment["XDG_CONFIG_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        return (base ?? caller.home + "/.config") + "/bailey/config.yml"
    }

    /// A file that widens what commands may do must be its owner's alone to write; the project's can only narrow.
    private static func source(
        _ path: String,
        _ caller: Caller,
        ownersAllowed: [UInt32]?
    ) throws -> ConfigurationSource? {
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
        return ConfigurationSource(label: path, bytes: try FileContent.read(file, bytesMax: bytesMax))
    }
}
