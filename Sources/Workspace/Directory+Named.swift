import Domain
import Files

extension Directory {
    /// All entries, as ``entries(atMost:)`` has them; an error names the directory.
    func entries(
        atMost entriesMax: Int,
        at path: RelativePath,
        _ attempt: String
    ) throws(WorkspaceError) -> [Entry] {
        do throws(SystemError) {
            return try entries(atMost: entriesMax)
        } catch {
            throw WorkspaceError(attempt, error, path: path)
        }
    }
}
