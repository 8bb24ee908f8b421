import Domain
import Files
import Glibc
import Policy
import Redaction

/// The secret values that a command must not see, collected so that no record of it shows them either.
enum HiddenValues {
    /// Hidden files that are read for their values, and bytes of each: enough for real projects, little enough that a
    /// thousand hidden files do not slow the start. What is beyond still falls to the key shapes.
    static let filesMax = 64
    static let fileBytesMax = 64 << 10

    /// A redactor that knows the caller's sensitive variables and the values in the project's hidden files.
    static func redactor(caller: Caller, project: String, hidden: [RelativePath], extra: [EnvironmentVariable])
        -> Redactor
    {
        var secrets = caller.environment.filter { SensitiveVariable.isSensitive($0.key) }.map { Array($0.value.utf8) }
        secrets += extra.filter { SensitiveVariable.isSensitive($0.name) }.map { Array($0.value.utf8) }
        if let root = try? Directory(trustedPath: project) {
            for path in hidden.prefix(filesMax) {
                guard let bytes = try? FileContent.read(path.bytes, in: root, bytesMax: fileBytesMax) else { continue }
                secrets += EnvironmentFile.values(bytes)
            }
        }
        return Redactor(secrets: secrets)
    }
}
