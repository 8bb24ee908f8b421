import Foundation
import Testing

/// One rule over the tree, with what it refuses and what it lets through: a rule that cannot fail keeps nothing.
struct Rule: Sendable, CustomTestStringConvertible {
    /// A made-up file, to try a rule on.
    struct Sample: Sendable {
        let path: String
        let text: String

        init(_ text: String, path: String = "Sources/Domain/Sample.swift") {
            self.path = path
            self.text = text
        }
    }

    let name: String
    let appliesTo: @Sendable (SourceFile) -> Bool
    let check: @Sendable (SourceFile) -> [Finding]
    let refuses: [Sample]
    let accepts: [Sample]

    var testDescription: String { name }

    func findings(in file: SourceFile) -> [Finding] { appliesTo(file) ? check(file) : [] }

    func findings(in sample: Sample) -> [Finding] {
        findings(in: SourceFile(path: sample.path, text: sample.text))
    }

    static let all: [Rule] = sizes + safety + prose + repository
}

/// A regular expression over one line.
struct Pattern: Sendable {
    private let expression: NSRegularExpression

    init(_ text: String) {
        do {
            expression = try NSRegularExpression(pattern: text)
        } catch {
            preconditionFailure("every pattern in these tests is a valid expression: \(text)")
        }
    }

    func matches(_ line: String) -> Bool { capture(line, group: 0) != nil }

    /// The text of a group in the first match.
    func capture(_ line: String, group: Int) -> String? {
        let range = NSRange(line.startIndex..., in: line)
        guard let match = expression.firstMatch(in: line, range: range) else { return nil }
        return Range(match.range(at: group), in: line).map { String(line[$0]) }
    }

    /// A group of every match, in order.
    func captures(_ text: String, group: Int) -> [String] {
        expression.matches(in: text, range: NSRange(text.startIndex..., in: text)).compactMap { match in
            Range(match.range(at: group), in: text).map { String(text[$0]) }
        }
    }
}
