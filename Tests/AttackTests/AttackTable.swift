import TestSupport

/// The printed summary of a campaign.
struct AttackTable: CustomStringConvertible {
    let identity: TestIdentity
    let results: [String: AttackResult]

    var description: String {
        let rows = AttackRow.all.compactMap { results[$0.id] }
        var lines = ["Abuse suite as \(identity.name): \(rows.count) attempts"]
        lines.append("  group          rows  held  reached  control through  control answered  moot")
        var groups: [String] = []
        for row in AttackRow.tried where !groups.contains(row.group) { groups.append(row.group) }
        for group in groups + ["all"] {
            let members = rows.filter { group == "all" || $0.row.group == group }
            let columns = [
                members.count, members.filter(\.isHeld).count, members.filter { !$0.isHeld }.count,
                members.filter { $0.control.verdict == .through }.count,
                members.filter { $0.isControlled && $0.control.verdict != .through }.count,
                members.filter(\.isMoot).count,
            ]
            let widths = [6, 6, 9, 17, 18, 6]
            let cells = zip(columns, widths).map { Self.right(String($0), $1) }.joined()
            lines.append("  " + group + String(repeating: " ", count: max(0, 13 - group.count)) + cells)
        }
        for result in rows where !result.isHeld || !result.isControlled {
            let state = result.isHeld ? (result.isMoot ? "moot" : "no control") : "REACHED"
            lines.append("  \(state) \(result.row.id) \(result.row.attempt)")
            lines.append("      inside \(result.wall); outside \(result.control)")
        }
        return lines.joined(separator: "\n")
    }

    private static func right(_ text: String, _ width: Int) -> String {
        String(repeating: " ", count: max(0, width - text.count)) + text
    }
}
