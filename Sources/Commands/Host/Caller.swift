import Glibc

/// Who calls, as the kernel and the environment tell it. Read once, at the start; nothing below reads the environment.
struct Caller: Sendable {
    let userID: UInt32
    let groupID: UInt32
    let home: String
    let userName: String
    let workingDirectory: String
    let environment: [String: String]
    let executable: String

    var isRoot: Bool { userID == 0 }

    static func current() throws(CommandError) -> Caller {
        var environment: [String: String] = [:]
        var entry = environ
        while let pointer = entry.pointee {
            let text = String(cString: pointer)
            if let equals = text.firstIndex(of: "=") {
                environment[String(text[..<equals])] = String(text[text.index(after: equals)...])
            }
            entry += 1
        }
        let account = getpwuid(getuid())
        let accountHome = account.map { String(cString: $0.pointee.pw_dir) }
        guard let home = environment["HOME"] ?? accountHome, home.hasPrefix("/"), let realHome = resolved(home),
            realHome != "/"
        else {
            throw CommandError(
                ExitStatus.failed,
                "find your home directory: HOME is not an existing absolute path below /",
                hint: "Set HOME to a directory of yours."
            )
        }
        guard let directory = resolved(".") else {
            throw CommandError(ExitStatus.failed, "find the working directory: it does not exist any more")
        }
        let name = account.map { String(cString: $0.pointee.pw_name) } ?? "user"
        return Caller(
            userID: getuid(),
            groupID: getgid(),
            home: realHome,
            // Inside nobody is root, so nobody is called so.
            userName: getuid() == 0 || !name.allSatisfy { $0.isLetter || $0.isNumber || "-_.".contains($0) }
                ? "bailey" : name,
            workingDirectory: directory,
            environment: environment,
            executable: resolved("/proc/self/exe") ?? ""
        )
    }

    /// Wipes the value of a variable where the kernel shows it to others of this user, as `/proc/PID/environ`. Nothing
    /// reads the environment any more.
    static func forget(_ name: String) {
        let start = Array((name + "=").utf8CString.dropLast())
        var entry = environ
        while let pointer = entry.pointee {
            if strncmp(pointer, start, start.count) == 0 {
                let value = pointer + start.count
                explicit_bzero(value, strlen(value))
            }
            entry += 1
        }
    }

    /// An absolute path without symbolic links, or nil if it does not exist.
    static func resolved(_ path: String) -> String? {
        guard let pointer = realpath(path, nil) else { return nil }
        defer { free(pointer) }
        return String(validatingCString: pointer)
    }
}
