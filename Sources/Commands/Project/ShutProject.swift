import Files
import Glibc

/// The mode of a project's own directory before a command worked on it directly, noted where no command reaches: one
/// that shuts the directory, and whose Bailey is killed, would leave a project that nobody can open.
enum ShutProject {
    private static let place = "live"
    private static let noteBytesMax = 8192

    /// Call it before the command starts.
    static func note(_ project: String, state: borrowing StateDirectory) throws {
        let status = try Directory(trustedPath: project).status([])
        let text = "\(String(status.mode, radix: 8))\n\(project)\n"
        try FileContent.replace(name(status), in: state.directory(place), with: Array(text.utf8))
    }

    /// Call it when the project was looked at.
    static func forget(_ project: String, state: borrowing StateDirectory) throws {
        let notes = try state.directory(place)
        let name = try name(Directory(trustedPath: project).status([]))
        if try notes.statusIfPresent(name) != nil { try notes.removeFile(name) }
    }

    /// Puts the mode back of a project that its owner cannot enter since a direct run.
    static func reopen(_ project: String, caller: Caller) throws {
        guard access(project, R_OK | X_OK) != 0, errno == EACCES, let slash = project.lastIndex(of: "/") else { return }
        let parent = try Directory(trustedPath: project[..<slash] + "/")
        let entry = Array(project[project.index(after: slash)...].utf8)
        let status = try parent.status(entry)
        let state = try StateDirectory.open(caller, project: project)
        let notes = try state.directory(place)
        guard let bytes = try FileContent.readIfPresent(name(status), in: notes, bytesMax: noteBytesMax) else { return }
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", maxSplits: 1)
        guard lines.count == 2, lines[1] == project + "\n", let mode = UInt32(lines[0], radix: 8) else { return }
        try parent.setModeSafely(entry, mode, ifInode: status.inode)
        try notes.removeFile(name(status))
        Console().remark("a direct run had shut \(project): its mode is \(lines[0]) again")
    }

    private static func name(_ status: FileStatus) -> [UInt8] { Array("\(status.device)-\(status.inode)".utf8) }
}
