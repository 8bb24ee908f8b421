import ArgumentParser
import Domain
import Files
import Journal

/// `bailey journal`.
struct JournalCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "journal",
        abstract: "Look at and verify the record of what happened.",
        subcommands: [Show.self, Events.self, Verify.self]
    )
}

extension JournalCommand {
    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show a run's events, one readable line each.")
        @OptionGroup var options: ProjectOptions
        @Argument(help: "A run: an id, an unambiguous prefix of one, or last.") var name: String = "last"

        func run() throws {
            let session = try Session.open(project: options.project)
            let run = try RunDirectory.find(name, in: session.project)
            for line in try session.lines(run) {
                let data = String(decoding: line.data.bytes(), as: UTF8.self)
                session.console.result(
                    options.json
                        ? data
                        : "\(line.sequence)".padded(5) + line.timestamp + "  " + line.type.padded(20)
                            + Printable.text(data)
                )
            }
        }
    }

    struct Events: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print journal lines as they are, one JSON object each: of one run, or of all."
        )
        @OptionGroup var options: ProjectOptions
        @Argument(help: "A run, or nothing for all of them.") var name: String?
        @Option(help: "Only events of this type, such as COMMAND_EXITED.") var type: String?

        func run() throws {
            let session = try Session.open(project: options.project)
            if let type, RecordType(rawValue: type) == nil {
                throw CommandError(
                    ExitStatus.usage,
                    "filter by type \(Printable.text(type)): no event is called so",
                    hint: "One of " + RecordType.allCases.map(\.rawValue).joined(separator: ", ")
                )
            }
            let named = try name.map { try RunDirectory.find($0, in: session.project) }
            for run in try named.map({ [$0] }) ?? RunDirectory.all(in: session.project) {
                for line in try session.lines(run) where type == nil || type == line.type {
                    session.console.resultBytes(line.bytes + Array("\n".utf8))
                }
            }
        }
    }

    struct Verify: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Verify chains, heads and the signed checkpoint, offline."
        )
        @OptionGroup var options: ProjectOptions
        @Argument(help: "A run, or nothing for all of them.") var name: String?

        func run() throws {
            let session = try Session.open(project: options.project)
            let run = try name.map { try RunDirectory.find($0, in: session.project) }
            let report = try ProjectVerifier.verify(
                bailey: session.project.handle,
                project: session.project.id,
                key: try VerifyingKey.load(stateDirectory: session.state.handle),
                only: run
            )
            if options.json {
                session.console.result(String(decoding: json(report).bytes(), as: UTF8.self))
            } else {
                for finding in report.findings {
                    let place = finding.line.map { " line \($0)" } ?? ""
                    session.console.result("\(finding.level.rawValue)  \(finding.subject)\(place): \(finding.reason)")
                }
                let signature = report.isSignatureVerified ? "checkpoint signature good" : "no signature checked"
                session.console.result(
                    "\(report.isGood ? "good" : "BAD"): \(report.runs) runs (\(report.openRuns) open), "
                        + "\(report.lines) lines, \(signature)"
                )
            }
            if !report.isGood { throw ExitCode(ExitStatus.negative) }
        }

        private func json(_ report: VerificationReport) -> JSONValue {
            .object([
                ("good", .bool(report.isGood)), ("runs", .integer(Int64(report.runs))),
                ("open_runs", .integer(Int64(report.openRuns))), ("lines", .unsigned(report.lines)),
                ("signature_verified", .bool(report.isSignatureVerified)),
                (
                    "findings",
                    .array(
                        report.findings.map { finding in
                            .object([
                                ("level", .string(finding.level.rawValue)), ("subject", .string(finding.subject)),
                                ("line", finding.line.map { .unsigned($0) } ?? .null),
                                ("reason", .string(finding.reason)),
                            ])
                        }
                    )
                ),
            ])
        }
    }
}
