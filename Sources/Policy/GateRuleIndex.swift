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

    /// The last names of all patterns: plain ones, and those with a `*` as above.
    private var ends: Set<[UInt8]> = []
    private var endsByFirstByte: [[NamePattern]] = Array(repeating: [], count: 256)
    private var endsByLastByte: [[NamePattern]] = Array(repeating: [], count: 256)

    init(_ rules: [GateRule]) {
        for rule in rules {
            guard case .path(let pattern) = rule.subject else { continue }
            addEnd(of: pattern)
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

    /// True if a pattern may end in this folded name. Whoever looks at a tree from its root down, and not below what a
    /// pattern took in, misses nothing without the others.
    func mayEnd(in name: [UInt8]) -> Bool {
        guard let first = name.first, let last = name.last else { return false }
        return ends.contains(name) || endsByFirstByte[Int(first)].contains { $0.matches(name) }
            || endsByLastByte[Int(last)].contains { $0.matches(name) }
    }

    private mutating func addEnd(of pattern: PathPattern) {
        guard let name = pattern.names.last else { return }
        if let literal = name.literal {
            ends.insert(literal)
        } else if let first = name.fixedPrefix.first {
            endsByFirstByte[Int(first)].append(name)
        } else if let last = name.fixedSuffix.last {
            endsByLastByte[Int(last)].append(name)
        } else {
            preconditionFailure("a pattern is more than a lone `*`: \(pattern)")
        }
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
