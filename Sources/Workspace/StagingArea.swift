import Domain
import Files

/// Where one tree's new content waits and its old content is kept while an apply is on its way: on the tree's own file
/// system, so that every step is a rename.
final class StagingArea {
    let new: Directory
    let old: Directory

    /// Opens what an earlier process made; nil if it is not there.
    init?(in base: borrowing Directory) throws {
        guard let new = try base.directoryIfPresent(at: [Self.newName]),
            let old = try base.directoryIfPresent(at: [Self.oldName])
        else { return nil }
        self.new = new
        self.old = old
    }

    init(makeIn base: borrowing Directory) throws {
        try base.makeDirectory(Self.newName, mode: 0o700)
        try base.makeDirectory(Self.oldName, mode: 0o700)
        new = try base.directory(Self.newName)
        old = try base.directory(Self.oldName)
    }

    private static let newName = Array("new".utf8)
    private static let oldName = Array("old".utf8)

    static func name(_ operation: Int) -> [UInt8] { Array(String(operation).utf8) }

    /// The staging directory's name where it must lie in the tree itself.
    static func nameBeside(_ run: RunID) -> [UInt8] { Array(".bailey-apply-\(run.rawValue)".utf8) }
}
