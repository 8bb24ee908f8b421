import ArgumentParser
import Domain
import Files
import Journal

/// `bailey runs`.
struct RunsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "runs",
        abstract: "Look at past runs.",
        subcommands: [List.self, Show.self, Prune.self],
        defaultSubcommand: List.self
    )
}

/// Options of commands that look at a project.
struct ProjectOptions: ParsableArguments {
    @Option(help: "The project directory.")
    var project: String?

    @Flag(help: "Print JSON.")
    var json = false
}

extension RunsCommand {
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the runs of a project, oldest first.")
        @OptionGroup var options: ProjectOptions

        func run() throws {
            let session = try Session.open(project: options.project)
            for run in try RunDirectory.all(in: session.project) {
                do {
                    let summary = try session.summary(run)
                    session.console.result(
                        options.json ? String(decoding: summary.json.bytes(), as: UTF8.self) : line(summary)
                    )
                } catch {
                    session.console.result("\(run)  damaged  \(error)")
                }
            }
        }

        private func line(_ summary: RunSummary) -> String {
            let command = summary.command.map { Printable.text($0) }.joined(separator: " ")
            let columns = [
                summary.run.rawValue, summary.created, summary.state.rawValue.padded(11), summary.ending.padded(16),
            ]
            return columns.joined(separator: "  ") + "  " + (command.count > 80 ? command.prefix(79) + "…" : command)
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Show one run.")
        @OptionGroup var options: ProjectOptions
        @Flag(help: "Print every process that was seen, each with all its arguments.") var processes = false
        @Argument(help: "A run: an id, an unambiguous prefix of one, or last.") var name: String = "last"

        func run() throws {
            let session = try Session.open(project: options.project)
            let run = try RunDirectory.find(name, in: session.project)
            let summary = try session.summary(run)
            let lines = try session.lines(run)
            let observation = RunObservation(lines: lines)
            guard !options.json else {
                let whole = summary.json.adding([("observation", observation.json)])
                session.console.result(String(decoding: whole.bytes(), as: UTF8.self))
                return
            }
            func row(_ name: String, _ text: String) { session.console.result(name.padded(10) + text) }
            row("run", summary.run.rawValue)
            row("created", summary.created)
            row("command", summary.command.map { Printable.text($0) }.joined(separator: " "))
            row("state", summary.state.rawValue)
            row("ending", summary.ending)
            if let wall = summary.wallMilliseconds { row("time", "\(wall) ms") }
            if let counts = summary.counts { row("changes", counts.text) }
            if let error = summary.error { row("error", Printable.text(error)) }
            for line in lines.compactMap(GrantText.text) { row("network", line) }
            show(observation, row)
        }

        private func show(_ observation: RunObservation, _ row: (String, String) -> Void) {
            guard observation.state == Observation.State.complete.rawValue else {
                if observation.state != nil { row("processes", "not observed: the kernel gave no listener") }
                return
            }
            for line in observation.denialLines { row("denied", line) }
            if observation.denialsLeftOut > 0 { row("denied", "\(observation.denialsLeftOut) more") }
            let tree = ProcessTree(observation.processes).lines(atMost: processes ? nil : ProcessTree.shortLinesMax)
            for line in tree { row("process", line) }
            let rest = observation.processes.count - tree.count
            if rest > 0 { row("process", "\(rest) more; --processes shows them") }
            if observation.endingsUnknown > 0 {
                row("process", "\(observation.endingsUnknown) of which it is not known how they ended")
            }
            if observation.processesLeftOut > 0 { row("process", "\(observation.processesLeftOut) more, not kept") }
        }
    }
}

extension String {
    /// Spaces up to a column, at least one.
    func padded(_ width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}
