import Files
import Glibc

/// The names inside a run's directory that belong to this module.
enum WorkspaceFiles {
    static let directory = Array("workspace".utf8)
    static let plan = Array("plan".utf8)
    static let changes = Array("changes".utf8)
    /// Everything an apply needs while it is on its way.
    static let staging = Array("apply".utf8)
    static let intent = Array("intent".utf8)
    /// What the intent is renamed to once everything is in place.
    static let applied = Array("applied".utf8)
    /// Old content that an undone apply could not put back, since something else lies there.
    static let kept = Array("kept".utf8)
    static let upper = Array("upper".utf8)
    static let work = Array("work".utf8)
    static let copy = Array("copy".utf8)

    static func index(_ tree: Int) -> [UInt8] { Array("index\(tree)".utf8) }
    static func manifest(_ tree: Int) -> [UInt8] { Array("manifest\(tree)".utf8) }
    static func tree(_ tree: Int) -> [UInt8] { Array("tree\(tree)".utf8) }

    /// A stored file's content; nil for one that is no plain file of a sensible size, or is not there.
    static func read(_ path: [UInt8], in directory: borrowing Directory) throws(SystemError) -> [UInt8]? {
        do {
            guard try directory.status(path).kind == .file else { return nil }
            return try FileContent.read(path, in: directory, bytesMax: WorkspaceLimits.storedBytesMax)
        } catch  where [ENOENT, ENOTDIR, ELOOP, EFBIG].contains(error.code) {
            return nil
        }
    }
}
