import Domain

/// Finds the path rules that match, without trying every rule on every name.
struct GateRuleIndex: Sendable {
    private struct Entry: Sendable {
        let rule: GateRule
        let pattern: PathPattern
    }

    /// By the last literal name of the pattern.
    private var byName: [[UInt8]: [Entry]] = [:]
    /// Patterns that hold a `*` in each of their names, by the first byte of what the last one begins with.
    private var byFirstByte: [[Entry]] = Array(repeating: [], count: 256)
    /// Those that begin with `*`, by the last byte of what they end in.
    private var byLastByte: [[Entry]] = Array(repeating: [], count: 256)

    init(_ rules: [GateRule]) {
        for rule in rules {
            guard case .path(let pattern) = rule.subject else { continue }
            let entry = Entry(rule: rule, pattern: pattern)
            if let name = pattern.names.compactMap(\.literal).last {
                byName[name, default: []].append(entry)
            } else {
                precondition(!pattern.reachesBelow, "a pattern that reaches below holds a plain name: \(pattern)")
                addOpen(entry)
            }
        }
    }

    /// - Parameter names: a path's names from the root down, folded.
    func forEachMatch(_ names: [[UInt8]], _ body: (GateRule) -> Void) {
        for name in names {
            for entry in byName[name] ?? [] where entry.pattern.matches(names) { body(entry.rule) }
        }
        guard let last = names.last, let first = last.first, let end = last.last else { return }
        for entry in byFirstByte[Int(first)] where entry.pattern.matches(names) { body(entry.rule) }
        for entry in byLastByte[Int(end)] where entry.pattern.matches(names) { body(entry.rule) }
    }

    private mutating func addOpen(_ entry: Entry) {
        guard let name = entry.pattern.names.last else { return }
        if let first = name.fixedPrefix.first {
            byFirstByte[Int(first)].append(entry)
        } else if let end = name.fixedSuffix.last {
            byLastByte[Int(end)].append(entry)
        } else {
            preconditionFailure("a pattern is more than a lone `*`: \(entry.pattern)")
        }
    }
}
