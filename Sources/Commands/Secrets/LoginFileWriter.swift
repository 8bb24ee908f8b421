import BrokerLink
import Domain
import Files
import Glibc

/// Writes a renewed login back, whole or not at all: a file beside it, durable, then renamed. Owner and mode stay.
struct LoginFileWriter {
    let place: LoginPlace
    let caller: Caller

    /// - Parameter old: the refresh token that was used. A file with another one is somebody else's newer login, which
    ///   stays.
    /// - Returns: whether it was written.
    func write(_ tokens: LoginTokens, over old: SecretText?, unixMilliseconds: UInt64) throws -> Bool {
        guard let current = try place.read(caller: caller), current.tokens.refresh == old else { return false }
        let slash = place.path.lastIndex(of: "/") ?? place.path.startIndex
        let parent = String(place.path[..<slash])
        let name = Array(place.path[place.path.index(after: slash)...].utf8)
        let directory = try Directory(trustedPath: parent.isEmpty ? "/" : parent)
        let owner = try directory.status(name)
        // One name, under the lock, so that what a killed process left is not left for ever.
        let temporary = Array(".bailey.new.\(place.name)".utf8)
        try? directory.removeFile(temporary)
        do {
            let file = try directory.open(temporary, flags: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
            if owner.userID != caller.userID || owner.groupID != caller.groupID {
                _ = try SystemError.check("chown", fchown(file.raw, owner.userID, owner.groupID), path: place.path)
            }
            _ = try SystemError.check("chmod", fchmod(file.raw, owner.mode & 0o700), path: place.path)
            try Self.fill(file.raw, current, tokens, unixMilliseconds)
            try file.synchronize()
            CrashPoint.reached("login written")
            try directory.rename(temporary, to: directory, name)
        } catch {
            try? directory.removeFile(temporary)
            throw error
        }
        try directory.synchronize()
        return true
    }

    private static func fill(
        _ file: Int32,
        _ login: LoginFile,
        _ tokens: LoginTokens,
        _ unixMilliseconds: UInt64
    ) throws {
        let content = try login.renewed(tokens, unixMilliseconds: unixMilliseconds)
        try FileContent.write(content.bytes, to: file)
    }
}
