import Foundation
import Testing

/// One attempt of the abuse suite, as listed in `rows.tsv`.
struct AttackRow: Sendable, CustomTestStringConvertible {
    /// What must become of the attempt.
    enum Expectation: String, Sendable {
        /// The wall says no.
        case refused
        /// At most the sandbox's own copy of the thing is reached.
        case `private`
        /// A limit stops it.
        case limited
        /// It may happen inside, and the commit gate keeps it from the project.
        case gate
        /// It may reach the project, and the run's record points it out.
        case noted
        /// Nothing of it outlives the sandbox.
        case killed
        /// The run does not begin, and the refusal names what is missing.
        case named
        /// It works: the documentation says so, and this row notices when it no longer does.
        case open
    }

    /// How the attempt is made.
    enum Method: String, Sendable {
        /// With all others in one sandbox.
        case probe
        /// In a sandbox of its own.
        case alone
        /// As a shell snippet in a project of its own, whose changes are to be applied.
        case shell
        /// By looking at the host after the batch.
        case host
        /// From one sandbox to another.
        case pair
        /// As a snippet that plants code for git to run, with the git command that would run it on the host.
        case git
        /// As two snippets in one run after the other: what the first plants, the second must not meet.
        case carry
        /// As a snippet that makes names, which must not reach a terminal as they are.
        case names
        /// By starting Bailey where something is missing.
        case layer
        /// As a snippet at a terminal.
        case screen
        /// By a test of its own, which the row names.
        case test
    }

    /// Who must get through outside the wall, so that the attempt is known to work.
    enum Control: String, Sendable {
        /// Any account.
        case through
        /// Root; an ordinary account may be refused by the kernel.
        case root
    }

    let id: String
    let group: String
    let attempt: String
    let expected: Expectation
    let method: Method
    let control: Control
    /// Options of `bailey run` for an attempt of its own, what a snippet's project is prepared with outside, or the
    /// shell that takes something away and then runs Bailey.
    let options: String
    /// Arguments of the attempt inside, the snippet, the words of a refusal, or the test as `Target.Suite/function`.
    let inside: String
    /// Arguments of the control, or what the snippet must leave alone: `tree`, `canary`, `bailey`, `attributes`,
    /// `content` or `size`; the rule that must point it out; the git command or the second snippet; or what a terminal
    /// must keep: `typed`, `modes`, `size` or `asked`.
    let outside: String

    var testDescription: String { "\(id) \(attempt)" }

    /// Rows of the suite that published sandboxes were measured with; other letters and lettered numbers are ours.
    var isOfMeasuredSuite: Bool { ["f", "h", "k", "n", "p", "r"].contains(id.first) && id.last?.isNumber == true }

    init(line: String) throws {
        let fields = line.components(separatedBy: "\t").map { $0 == "-" ? "" : $0 }
        guard fields.count == 9,
            let expected = Expectation(rawValue: fields[3]),
            let method = Method(rawValue: fields[4]),
            let control = Control(rawValue: fields[5])
        else { throw AttackError("read a row of rows.tsv: \(line)") }
        (id, group, attempt) = (fields[0], fields[1], fields[2])
        (self.expected, self.method, self.control) = (expected, method, control)
        (options, inside, outside) = (fields[6], fields[7], fields[8])
    }

    /// Every row of the data file; a broken file makes a suite that fails, not an empty one.
    static let all: [AttackRow] = {
        let file = directory + "/rows.tsv"
        let lines = (try? String(contentsOfFile: file, encoding: .utf8))?.split(separator: "\n").map(String.init)
        return (lines ?? []).dropFirst().compactMap { try? AttackRow(line: $0) }
    }()

    /// Words of `BAILEY_ABUSE_ONLY`: ids or groups, to try only some of the rows.
    static let chosen: [String] = (ProcessInfo.processInfo.environment["BAILEY_ABUSE_ONLY"] ?? "")
        .split(separator: ",").map(String.init)

    /// The rows that a campaign tries itself.
    static let tried: [AttackRow] = all.filter { row in
        row.method != .test && (chosen.isEmpty || chosen.contains(row.id) || chosen.contains(row.group))
    }

    static let directory = (#filePath as NSString).deletingLastPathComponent
}

/// The suite itself could not do what it must.
struct AttackError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}
