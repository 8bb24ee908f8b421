import Domain
import Workspace

/// How many changes there are, as people and programs are told.
extension ChangeSet.Counts {
    init(created: Int64, changed: Int64, deleted: Int64) {
        self.init()
        self.created = Int(created)
        self.changed = Int(changed)
        self.deleted = Int(deleted)
    }

    var text: String { "\(created) created, \(changed) changed, \(deleted) deleted" }

    var json: [(String, JSONValue)] {
        [
            ("created", .integer(Int64(created))), ("changed", .integer(Int64(changed))),
            ("deleted", .integer(Int64(deleted))),
        ]
    }
}
