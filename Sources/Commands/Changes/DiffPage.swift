import Domain
import Workspace

/// A difference for a person: in colours where there is a terminal, or as one line for each file.
struct DiffPage {
    /// Columns of the plus and minus signs of one file.
    private static let signsMax = 40
    private static let nameColumnsMax = 60

    let plan: WorkspacePlan
    let paint: Paint

    func show(_ set: ChangeSet, _ put: @escaping (String) -> Void) throws {
        try UnifiedDiff(plan, lines: { kind, line in put(painted(kind, line)) }).show(set)
    }

    private func painted(_ kind: UnifiedDiff.LineKind, _ line: String) -> String {
        switch kind {
        case .header: paint(.bold, line)
        case .hunk: paint(.cyan, line)
        case .removed: paint(.red, line)
        case .added: paint(.green, line)
        case .remark: paint(.dim, line)
        case .kept: line
        }
    }

    /// How many lines each file lost and won.
    func statistics(_ set: ChangeSet, _ put: (String) -> Void) throws {
        var rows: [(name: String, added: Int, removed: Int, remark: String?)] = []
        for change in set.changes where change.file != .directory {
            var row = (name: ChangeListing.name(change), added: 0, removed: 0, remark: String?.none)
            try UnifiedDiff(
                plan,
                lines: { kind, line in
                    switch kind {
                    case .added: row.added += 1
                    case .removed: row.removed += 1
                    case .remark: if !line.hasPrefix("\\") { row.remark = line }
                    case .header, .hunk, .kept: break
                    }
                }
            ).show(ChangeSet(run: set.run, changes: [change]))
            rows.append(row)
        }
        let width = min(rows.map(\.name.count).max() ?? 0, Self.nameColumnsMax)
        let most = rows.map { $0.added + $0.removed }.max() ?? 0
        for row in rows {
            let left = " " + row.name.padded(width + 1) + "| "
            guard row.remark == nil else {
                put(left + paint(.dim, row.remark ?? ""))
                continue
            }
            put(left + "\(row.added + row.removed) " + signs(row.added, row.removed, most))
        }
        let (added, removed) = rows.reduce((0, 0)) { ($0.0 + $1.added, $0.1 + $1.removed) }
        let files = Quantity.things(UInt64(rows.count), "file", "files")
        put(" \(files), \(added) lines added, \(removed) removed")
    }

    private func signs(_ added: Int, _ removed: Int, _ most: Int) -> String {
        func scaled(_ count: Int) -> Int {
            most <= Self.signsMax || count == 0 ? count : max(1, count * Self.signsMax / most)
        }
        return paint(.green, String(repeating: "+", count: scaled(added)))
            + paint(.red, String(repeating: "-", count: scaled(removed)))
    }
}
