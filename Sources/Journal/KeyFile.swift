import Domain
import Files
import Glibc

/// A small secret in a file of its own: made on first use, read only if nobody else can.
enum KeyFile {
    /// The key's bytes. Two processes that make it at once end up with the same: the first one's.
    static func loadOrMake(
        _ name: String,
        in directory: borrowing Directory,
        byteCount: Int,
        make: () -> [UInt8]
    ) throws(JournalError) -> [UInt8] {
        do {
            try checkDirectory(directory, for: name)
            if let key = try load(name, in: directory, byteCount: byteCount) { return key }
            try store(make(), as: name, in: directory)
            if let key = try load(name, in: directory, byteCount: byteCount) { return key }
            throw JournalError(.unsafeKey, "make the key \(name): it vanished at once")
        } catch let error as SystemError {
            throw JournalError("use the key \(name)", error, hint: hint(for: error))
        } catch let error as JournalError {
            throw error
        } catch {
            throw JournalError(.system, "use the key \(name): \(error)")
        }
    }

    private static func hint(for error: SystemError) -> String? {
        switch error.code {
        case ELOOP: "A key is never a symbolic link: put the file itself into the state directory."
        case EROFS, EACCES, ENOSPC: "The state directory must be writable and have space."
        default: nil
        }
    }

    /// Whoever can write the directory can put another key in.
    private static func checkDirectory(_ directory: borrowing Directory, for name: String) throws {
        let status = try directory.status([])
        guard status.userID == geteuid() else {
            throw JournalError(
                .unsafeKey,
                "use the key \(name): its directory belongs to user \(status.userID), not to \(geteuid())",
                hint: "Use a state directory of your own."
            )
        }
        guard status.mode & 0o022 == 0 else {
            throw JournalError(
                .unsafeKey,
                "use the key \(name): others may write its directory (mode \(String(status.mode, radix: 8)))",
                hint: "Make the state directory private: chmod 700."
            )
        }
    }

    private static func load(
        _ name: String,
        in directory: borrowing Directory,
        byteCount: Int
    ) throws -> [UInt8]? {
        guard try directory.statusIfPresent(Array(name.utf8)) != nil else { return nil }
        let flags = O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
        let file = try directory.open(Array(name.utf8), flags: flags)
        var raw = stat()
        _ = try SystemError.check("stat", fstat(file.raw, &raw), path: name)
        let status = FileStatus(raw)
        guard status.kind == .file else { throw JournalError(.unsafeKey, "use the key \(name): it is no file") }
        guard status.userID == geteuid() else {
            throw JournalError(
                .unsafeKey,
                "use the key \(name): it belongs to user \(status.userID), not to \(geteuid())",
                hint: "Give it back to its owner, or use a state directory of your own."
            )
        }
        guard status.mode & ~0o600 == 0 else {
            throw JournalError(
                .unsafeKey,
                "use the key \(name): its mode is \(String(status.mode, radix: 8)), wider than 600",
                hint: "Others may have read it: replace it, or chmod 600 if nobody else uses this machine."
            )
        }
        guard status.size == UInt64(byteCount) else {
            throw JournalError(
                .unsafeKey,
                "use the key \(name): it has \(status.size) bytes where \(byteCount) should be",
                hint: "Put the right file back from a backup."
            )
        }
        return try FileContent.read(file, bytesMax: byteCount)
    }

    /// Written under a name of its own and made durable, then renamed unless somebody was first.
    static func store(_ key: [UInt8], as name: String, in directory: borrowing Directory) throws(SystemError) {
        let temporary = Array(".new.\(name).\(Hex.encode((0..<8).map { _ in UInt8.random(in: .min ... .max) }))".utf8)
        let file = try directory.open(temporary, flags: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        do throws(SystemError) {
            try FileContent.write(key, to: file.raw)
            _ = try SystemError.check("fsync", fsync(file.raw), path: name)
            try directory.rename(temporary, to: directory, Array(name.utf8), rule: .failIfPresent)
        } catch {
            try? directory.removeFile(temporary)
            guard error.code == EEXIST else { throw error }
        }
        try directory.synchronize()
    }
}
