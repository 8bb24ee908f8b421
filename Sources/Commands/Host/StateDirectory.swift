import Domain
import Files
import Glibc
import Journal

/// `$XDG_STATE_HOME/bailey`: keys, the register of projects, private homes, caches. Owned by the caller and closed to
/// others.
struct StateDirectory: ~Copyable {
    let path: String
    let handle: Directory

    /// Opens it, making it on first use.
    static func open(_ caller: Caller, project: String?) throws -> StateDirectory {
        let path = resolved(location(caller))
        if let project, path == project || path.hasPrefix(project + "/") {
            throw CommandError(
                ExitStatus.failed,
                "use the state directory \(path): it lies inside the project \(project)",
                hint: "Set XDG_STATE_HOME to a directory outside every project."
            )
        }
        do {
            try make(path)
            let handle = try Directory(trustedPath: path)
            try check(try handle.status([]), path, caller)
            return StateDirectory(path: path, handle: handle)
        } catch let error as SystemError {
            throw CommandError(
                ExitStatus.failed,
                "use the state directory \(path): \(error)",
                hint: "It holds the signing key and must be writable; set XDG_STATE_HOME to use another place."
            )
        }
    }

    static func location(_ caller: Caller) -> String {
        let base = caller.environment["XDG_STATE_HOME"].flatMap { $0.hasPrefix("/") ? $0 : nil }
        return (base ?? caller.home + "/.local/state") + "/bailey"
    }

    /// A directory below, made if absent, closed to others.
    func directory(_ name: String) throws(SystemError) -> Directory {
        do {
            try handle.makeDirectory(Array(name.utf8), mode: 0o700)
            try handle.synchronize()
        } catch  where error.code == EEXIST {}
        return try handle.directory(Array(name.utf8))
    }

    /// The path without symbolic links, as far as it exists, so that it can be compared with others.
    private static func resolved(_ path: String) -> String {
        var parent = path
        var rest = ""
        while let slash = parent.lastIndex(of: "/"), slash > parent.startIndex {
            if let real = Caller.resolved(parent) { return (real == "/" ? "" : real) + rest }
            rest = parent[slash...] + rest
            parent = String(parent[..<slash])
        }
        return (Caller.resolved(parent) ?? parent) + rest
    }

    private static func make(_ path: String) throws(SystemError) {
        var partial = ""
        for part in path.split(separator: "/") {
            partial += "/" + part
            guard mkdir(partial, 0o700) != 0 else { continue }
            let code = errno
            if code != EEXIST, access(partial, F_OK) != 0 { throw SystemError("mkdir", code: code, path: partial) }
        }
    }

    private static func check(_ status: FileStatus, _ path: String, _ caller: Caller) throws {
        guard status.userID == caller.userID else {
            throw CommandError(
                ExitStatus.failed,
                "trust the state directory \(path): it belongs to user \(status.userID), not to you (\(caller.userID))",
                hint: "sudo keeps HOME on some systems; set XDG_STATE_HOME or HOME to a directory of your own."
            )
        }
        guard status.mode & 0o077 == 0 else {
            throw CommandError(
                ExitStatus.failed,
                "trust the state directory \(path): others can enter it (mode \(String(status.mode, radix: 8)))",
                hint: "chmod 700 \(path)"
            )
        }
    }
}
