import Domain
import Egress

/// A suggestion as an operator takes it: lines of a configuration file, and everything else as comments.
package struct SuggestionText {
    /// Characters of a comment's foreign part.
    private static let foreignCharactersMax = 300
    private static let sourcesMax = 3
    /// Few enough to fit beside everything else.
    private static let projectEntriesMin = 10

    private let suggestion: PolicySuggestion
    private let configuration: Configuration
    private let operatorFile: String
    private let projectFile: String

    package init(
        _ suggestion: PolicySuggestion,
        _ configuration: Configuration,
        operatorFile: String,
        projectFile: String
    ) {
        self.suggestion = suggestion
        self.configuration = configuration
        self.operatorFile = operatorFile
        self.projectFile = projectFile
    }

    /// Not more than the product's own reader takes: an asker can fill comments too.
    package var lines: [String] {
        var (entries, refusals) = (suggestion.entries.count, suggestion.refusals.count)
        while true {
            let lines = lines(entries: entries, refusals: refusals)
            if Self.read(lines) != nil || (entries == 0 && refusals == 0) { return lines }
            if refusals > 0 { refusals /= 2 } else { entries /= 2 }
        }
    }

    private func lines(entries count: Int, refusals: Int) -> [String] {
        var lines: [String] = []
        let entries = suggestion.entries.prefix(count)
        let network = entries.filter { $0.key == .networkAllow }
        let readable = entries.filter { $0.key == .readable }
        if !entries.isEmpty {
            lines += [
                "# The names below were chosen by the command that ran behind the wall. Look at each before you take",
                "# it, and leave out what you do not know. It belongs into \(Self.foreign(operatorFile)),",
                "# in place of the lists of the same names there, whose entries are repeated.",
            ]
        }
        if !network.isEmpty {
            lines += ["network:", "  allow:"]
            lines += (configuration.network.allow ?? []).map { "    - \(Self.quoted($0.text))  # as it is" }
            lines += network.flatMap(item)
        }
        if !readable.isEmpty {
            lines += ["sandbox:", "  readable:"]
            lines += configuration.readable.map { "    - \(Self.quoted($0))  # as it is" }
            lines += readable.flatMap(item)
        }
        let more = suggestion.leftOut + suggestion.entries.count - entries.count + suggestion.refusals.count - refusals
        return lines + projectLines(count) + refusalLines(refusals) + leftOutLines(more)
    }

    private func item(_ entry: PolicySuggestion.Entry) -> [String] {
        ["    # \(reason(entry))"] + entry.cautions.map { "    # CAUTION: \(Self.foreign($0))" }
            + ["    - \(Self.quoted(entry.text))"]
    }

    private func reason(_ entry: PolicySuggestion.Entry) -> String {
        Self.times(entry.count, entry.sources) + ": " + Self.foreign(entry.reason)
    }

    /// The project's file is not the operator's to paste over: it says what to change.
    private func projectLines(_ count: Int) -> [String] {
        let entries = suggestion.projectEntries.prefix(max(count, Self.projectEntriesMin))
        guard !entries.isEmpty else { return [] }
        return [
            "# The project's own list narrows: \(Self.foreign(projectFile)) must hold these under network: allow too."
        ]
            + entries.flatMap { entry in
                ["#   \(reason(entry))"] + entry.cautions.map { "#   CAUTION: \(Self.foreign($0))" }
                    + ["#   - \(Self.quoted(entry.text))"]
            }
    }

    private func refusalLines(_ count: Int) -> [String] {
        guard count > 0 else { return [] }
        return ["# Not suggested:"]
            + suggestion.refusals.prefix(count).map { refusal in
                "# - \(Self.foreign(refusal.what)) (\(Self.times(refusal.count, refusal.sources))): "
                    + Self.foreign(refusal.why)
            }
    }

    private func leftOutLines(_ count: Int) -> [String] {
        guard count > 0 else { return [] }
        return ["# \(count) more are not shown: take these first, and run again."]
    }

    private static func times(_ count: UInt64, _ sources: [RefusedAccess.Source]) -> String {
        let places = sources.prefix(sourcesMax).map { "\($0.run) line \($0.line)" }.joined(separator: ", ")
        let more = sources.count > sourcesMax ? " and \(sources.count - sourcesMax) more" : ""
        return (count == 1 ? "refused once" : "refused \(count) times") + ", " + places + more
    }

    /// One line of a comment, whatever stood in it. The reader looks for anchors and counts brackets in comments too.
    private static func foreign(_ text: String) -> String {
        var shown = Printable.text(text)
        for mark in ["&", "[", "{"] where shown.contains(mark) {
            shown = shown.replacing(mark, with: "\\x" + Hex.encode(Array(mark.utf8)))
        }
        return shown.count <= foreignCharactersMax ? shown : shown.prefix(foreignCharactersMax) + "…"
    }

    /// In single quotes nothing has a meaning but the quote itself.
    private static func quoted(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
    }

    /// Whether the product's own reader takes the entry for what it says, alone in a file.
    static func isRead(_ entry: PolicySuggestion.Entry) -> Bool {
        let lines =
            switch entry.key {
            case .networkAllow: "network:\n  allow:\n    - \(quoted(entry.text))\n"
            case .readable: "sandbox:\n  readable:\n    - \(quoted(entry.text))\n"
            }
        guard let read = read([lines]) else { return false }
        return switch entry.key {
        case .networkAllow: read.network.allow?.map(\.text) == [entry.text]
        case .readable: read.readable == [entry.text]
        }
    }

    private static func read(_ lines: [String]) -> Configuration? {
        let bytes = lines.flatMap { Array($0.utf8) + [UInt8(ascii: "\n")] }
        let source = ConfigurationSource(label: "suggestion", bytes: bytes)
        return try? Configuration.load(system: nil, operator: source, project: nil)
    }
}
