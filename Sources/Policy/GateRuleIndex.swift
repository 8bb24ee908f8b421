import Domain

/// Finds the path rules that match, without trying every rule on every name.
struct GateRuleIndex: Sendable {
    private struct Entry: Sendable {
        let rule: GateRule
        let pattern: PathPattern
    }

    /// By the last literal name of the pattern.
    private var byName: [[UInt8]: [Entry]] = [:]
    /// Patterns that hold a `*` in each of their names.
    private var open: [Entry] = []

    init(_ rules: [GateRule]) {
        for rule in rules {
            guard case .path(let pattern) = rule.subject else { continue }
            let entry = Entry(rule: rule, pattern: pattern)
            if let name = pattern.names.compactMap(\.literal).last {
                byName[name, default: []].append(entry)
            } else {
                open.append(entry)
            }
        }
    }

    /// - Parameter names: a path's names from the root down, folded.
    func forEachMatch(_ names: [[UInt8]], _ body: (GateRule) -> Void) {
        for name in names {
            for entry in byName[name] ?? [] where entry.pattern.matches(names) { body(entry.rule) }
        }
        for entry in open where entry.pattern.matches(names) { body(entry.rule) }
    }
}
