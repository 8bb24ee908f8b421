import Domain

/// Where a git directory keeps what its working trees share.
enum GitRepository {
    /// The directory that `commondir` names, or the git directory itself.
    static func commonDirectory(of gitDirectory: String) -> String {
        guard let content = GitPointer.read(gitDirectory + "/commondir"), let path = GitPointer.line(content) else {
            return gitDirectory
        }
        return GitPointer.resolve(path, from: gitDirectory)
    }

    /// The content of the shared `config`; nil if there is none.
    static func configuration(of gitDirectory: String) -> [UInt8]? {
        GitPointer.read(commonDirectory(of: gitDirectory) + "/config", bytesMax: GitConfigFile.Limits.bytesMax)
    }
}
