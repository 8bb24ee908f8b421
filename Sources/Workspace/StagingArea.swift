import Domain
import Files
import Glibc

/// Where one tree's new content waits and its old content is kept while an apply is on its way: on the tree's own file
/// system, so that every step is a rename.
final class StagingArea {
    let new: Directory
    let old: Directory
    /// Whether two names can change places in one step; where not, what is there is removed before its successor comes.
    let canExchange: Bool

    /// Opens what an earlier process made; nil if it is not there.
    init?(in base: borrowing Directory) throws {
        guard let new = try base.directoryIfPresent(at: [Self.newName]),
            let old = try base.directoryIfPresent(at: [Self.oldName])
        else { return nil }
        self.new = new
        self.old = old
        // Asked only while operations are being made.
        canExchange = false
    }

    init(makeIn base: borrowing Directory) throws {
        try base.makeDirectory(Self.newName, mode: 0o700)
        try base.makeDirectory(Self.oldName, mode: 0o700)
        // The two are empty and alike.
        canExchange = try Self.exchange(Self.newName, Self.oldName, in: base)
        new = try base.directory(Self.newName)
        old = try base.directory(Self.oldName)
    }

    private static func exchange(_ one: [UInt8], _ other: [UInt8], in base: borrowing Directory) throws(SystemError)
        -> Bool
    {
        do {
            try base.rename(one, to: base, other, rule: .exchange)
            return true
        } catch  where error.code == EINVAL {
            return false
        }
    }

    private static let newName = Array("new".utf8)
    private static let oldName = Array("old".utf8)

    static func name(_ operation: Int) -> [UInt8] { Array(String(operation).utf8) }

    /// The staging directory's name where it must lie in the tree itself.
    static func nameBeside(_ run: RunID) -> [UInt8] { Array(".bailey-apply-\(run.rawValue)".utf8) }
}
