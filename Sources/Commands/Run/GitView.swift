import Domain
import Workspace

/// What git knows of a project, for the parts of a run that ask.
struct GitView {
    let project: String
    let caller: Caller
    let outsideDirectories: [String] = []
    let homeFiles: [(path: String, content: String)] = []

    init(project: String, caller: Caller) throws {
        self.project = project
        self.caller = caller
    }

    func isTrackedUnchanged(_ path: RelativePath) -> Bool { false }

    func inspector(_ assembly: Assembly, _ plan: WorkspacePlan) -> any ChangeInspector { NoInspector() }
}

struct NoInspector: ChangeInspector {
    func inspect(_ changes: [Change], trees: [WorkspaceTree]) throws -> [Inspection] { changes.map { _ in .notMine } }
}
