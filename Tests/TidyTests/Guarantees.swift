import Foundation

/// The table of `docs/guarantees.md`: what is promised, and what keeps each promise.
struct Guarantees {
    struct Row: Sendable {
        let line: Int
        let statements: [String]
        let what: String
        let keepers: [Keeper]
    }

    /// What shows that a statement holds.
    enum Keeper: Sendable, Equatable {
        /// A test by the name it is displayed under.
        case test(String)
        /// A check of `bailey doctor` by its identifier.
        case doctor(String)
        /// A heading in a document.
        case section(file: String, heading: String)
        case unknown(String)

        init(_ text: String) {
            let text = text.trimmingCharacters(in: .whitespaces)
            if let name = text.dropping(prefix: "test: ") {
                self = .test(name)
            } else if let name = text.dropping(prefix: "doctor: ") {
                self = .doctor(name)
            } else if let place = text.dropping(prefix: "section: "), let mark = place.firstIndex(of: "#") {
                self = .section(file: String(place[..<mark]), heading: String(place[mark...].dropFirst()))
            } else {
                self = .unknown(text)
            }
        }
    }

    let rows: [Row]

    init(_ text: String) {
        rows = text.split(separator: "\n", omittingEmptySubsequences: false).enumerated().compactMap { offset, line in
            let cells = MarkdownTable.cells(String(line))
            guard cells.count == 3, !["Statement", "---"].contains(cells[0]) else { return nil }
            return Row(
                line: offset + 1,
                statements: cells[0].components(separatedBy: ",").map { $0.trimmingCharacters(in: .whitespaces) },
                what: cells[1],
                keepers: cells[2].components(separatedBy: ";").map(Keeper.init)
            )
        }
    }

    /// What is wrong with the table, given what there is.
    func faults(statements: Set<String>, tests: Set<String>, checks: Set<String>, sections: Set<String>) -> [String] {
        rows.flatMap { row in
            row.statements.filter { !statements.contains($0) }.map { "line \(row.line): no statement \($0)" }
                + row.keepers.compactMap { keeper in
                    switch keeper {
                    case .test(let name) where tests.contains(name): nil
                    case .doctor(let name) where checks.contains(name): nil
                    case .section(let file, let heading) where sections.contains(file + "#" + heading): nil
                    case .test(let name): "line \(row.line): no test is named \"\(name)\""
                    case .doctor(let name): "line \(row.line): no doctor check is named \"\(name)\""
                    case .section(let file, let heading): "line \(row.line): \(file) has no heading \"\(heading)\""
                    case .unknown(let text): "line \(row.line): \"\(text)\" is no test:, doctor: or section:"
                    }
                }
        }
    }
}

/// Rows of a table in Markdown.
enum MarkdownTable {
    static func cells(_ line: String) -> [String] {
        guard line.hasPrefix("|") else { return [] }
        return line.split(separator: "|", omittingEmptySubsequences: false).dropFirst().dropLast().map {
            $0.trimmingCharacters(in: .whitespaces)
        }
    }
}

extension String {
    func dropping(prefix: String) -> String? { hasPrefix(prefix) ? String(dropFirst(prefix.count)) : nil }
}
