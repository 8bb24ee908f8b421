import ArgumentParser
import Domain
import Journal
import Policy

/// `bailey policy`.
struct PolicyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "policy",
        abstract: "Learn from what runs were refused.",
        subcommands: [Suggest.self]
    )
}

extension PolicyCommand {
    /// Nothing is changed: what it prints is for an operator to read and to take.
    struct Suggest: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print the smallest lines of configuration that would have allowed what runs were refused."
        )
        /// Runs that are read at a time.
        private static let runsMax = 100

        @OptionGroup var options: ProjectOptions
        @Argument(help: "Runs: ids, unambiguous prefixes of them, or last.") var names: [String] = ["last"]

        func run() throws {
            guard names.count <= Self.runsMax else {
                throw CommandError(
                    ExitStatus.usage,
                    "read \(names.count) runs: at most \(Self.runsMax) are read at a time",
                    hint: "Name fewer."
                )
            }
            let session = try Session.open(project: options.project)
            var runs: [RunID] = []
            for name in names {
                let run = try RunDirectory.find(name, in: session.project)
                if !runs.contains(run) { runs.append(run) }
            }
            var reading = RefusalReading()
            for run in runs { reading.take(run, try session.lines(run)) }
            let project = session.project.project
            let configuration = try ConfigurationFiles.load(caller: session.caller, project: project)
            let suggestion = PolicySuggestion(
                reading.accesses,
                configuration: configuration,
                alarmed: reading.alarmed
            ) { ReadablePlaces.problem($0, caller: session.caller) }
            let text = SuggestionText(
                suggestion,
                configuration,
                operatorFile: ConfigurationFiles.operatorFile(session.caller),
                projectFile: project + "/bailey.yml"
            )
            guard !options.json else {
                let answer = Self.json(runs, suggestion, text, session)
                session.console.result(String(decoding: answer.bytes(), as: UTF8.self))
                return
            }
            text.lines.forEach(session.console.result)
            if suggestion.isEmpty { session.console.remark("nothing was refused that is recorded") }
        }

        private static func json(
            _ runs: [RunID],
            _ suggestion: PolicySuggestion,
            _ text: SuggestionText,
            _ session: borrowing Session
        ) -> JSONValue {
            .object([
                ("runs", .array(runs.map { .string($0.rawValue) })),
                ("file", .string(ConfigurationFiles.operatorFile(session.caller))),
                ("entries", .array(suggestion.entries.map(entry))),
                ("project_entries", .array(suggestion.projectEntries.map(entry))),
                (
                    "not_suggested",
                    .array(
                        suggestion.refusals.map { refusal in
                            .object([
                                ("what", .string(refusal.what)), ("why", .string(refusal.why)),
                                ("count", .unsigned(refusal.count)), ("records", records(refusal.sources)),
                            ])
                        }
                    )
                ),
                ("left_out", .integer(Int64(suggestion.leftOut))),
                ("yaml", .string(text.lines.map { $0 + "\n" }.joined())),
            ])
        }

        private static func entry(_ entry: PolicySuggestion.Entry) -> JSONValue {
            .object([
                ("key", .string(entry.key.rawValue)), ("entry", .string(entry.text)),
                ("reason", .string(entry.reason)), ("cautions", .array(entry.cautions.map { .string($0) })),
                ("count", .unsigned(entry.count)), ("records", records(entry.sources)),
            ])
        }

        private static func records(_ sources: [RefusedAccess.Source]) -> JSONValue {
            .array(
                sources.map { .object([("run", .string($0.run.rawValue)), ("line", .unsigned($0.line))]) }
            )
        }
    }
}
