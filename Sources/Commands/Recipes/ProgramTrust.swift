import Domain
import Glibc

/// Whether a program is the caller's own choice: found outside the project, along links and directories that nobody
/// else can change.
struct ProgramTrust {
    let caller: Caller
    let project: String

    /// Links on the way to a program: what the kernel follows.
    private static let linksMax = 40

    /// What is wrong with a program, as the end of a sentence; nil if nothing is.
    func problem(_ path: String) -> String? {
        var path = path
        for _ in 0..<Self.linksMax {
            let slash = path.lastIndex(of: "/") ?? path.startIndex
            let name = path[path.index(after: slash)...]
            guard let parent = Caller.resolved(slash == path.startIndex ? "/" : String(path[..<slash])) else {
                return "it is not there"
            }
            if isInProject(parent) { return "it lies in the project" }
            if let problem = problem(withDirectory: parent) { return problem }
            let whole = parent == "/" ? "/\(name)" : "\(parent)/\(name)"
            var status = stat()
            guard lstat(whole, &status) == 0 else { return "it is not there" }
            guard status.st_mode & S_IFMT == S_IFLNK else { return problem(withFile: whole, status) }
            guard let target = Self.target(of: whole) else { return "it is a link that cannot be read" }
            path = target.hasPrefix("/") ? target : parent + "/" + target
        }
        return "it lies behind too many links"
    }

    private func isInProject(_ path: String) -> Bool { path == project || path.hasPrefix(project + "/") }

    private func problem(withFile path: String, _ status: stat) -> String? {
        guard status.st_mode & S_IFMT == S_IFREG else { return "it is no program" }
        if isInProject(path) { return "it lies in the project" }
        return othersCanChange(status) ? "others can change \(Printable.text(path))" : nil
    }

    /// A directory and all above it, without links.
    private func problem(withDirectory path: String) -> String? {
        var path = path
        while true {
            var status = stat()
            guard lstat(path, &status) == 0 else { return "it is not there" }
            // In a sticky directory nobody exchanges what belongs to another.
            let isSticky = status.st_mode & S_ISVTX != 0 && status.st_uid == 0
            if othersCanChange(status), !isSticky { return "others can change \(Printable.text(path))" }
            guard path != "/" else { return nil }
            let slash = path.lastIndex(of: "/") ?? path.startIndex
            path = slash == path.startIndex ? "/" : String(path[..<slash])
        }
    }

    private func othersCanChange(_ status: stat) -> Bool {
        guard status.st_uid == 0 || status.st_uid == caller.userID, status.st_mode & 0o002 == 0 else { return true }
        return status.st_mode & 0o020 != 0 && !isOwnGroup(status.st_gid)
    }

    /// The group that many systems give each user, and root's.
    private func isOwnGroup(_ group: UInt32) -> Bool {
        if group == 0 { return true }
        guard group == caller.groupID, let account = getpwuid(caller.userID), let entry = getgrgid(group) else {
            return false
        }
        return strcmp(account.pointee.pw_name, entry.pointee.gr_name) == 0
            && (entry.pointee.gr_mem == nil || entry.pointee.gr_mem.pointee == nil)
    }

    private static func target(of path: String) -> String? {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = readlink(path, &buffer, buffer.count)
        guard count > 0, count < buffer.count else { return nil }
        return String(validating: buffer[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
