import ArgumentParser
import Domain
import Files
import Glibc
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
        /// Many times what a write of a batch takes.
        private static let writingMicroseconds: UInt32 = 100_000

        @OptionGroup var options: ProjectOptions
        @Flag(help: "Print every process that was seen, each with all its arguments.") var processes = false
        @Option(name: .customLong("color"), help: "Colours: always, never or auto, which is on a terminal.")
        var colour: Paint.Choice = .auto
        @Argument(help: "A run: an id, an unambiguous prefix of one, or last.") var name: String = "last"

        func run() throws {
            let session = try Session.open(project: options.project)
            let run: RunID
            do {
                run = try RunDirectory.find(name, in: session.project)
            } catch {
                // A run that was removed has left its name; what else is wrong with this one is told.
                guard let pruned = try? PrunedRun.find(name, in: session.project) else { throw error }
                show(pruned, session.console)
                return
            }
            let isLive = try RunLock.isHeld(RunDirectory.open(run, in: session.project))
            var journal = try session.readableLines(run)
            if isLive, journal.damage != nil {
                // It may have been half written at that moment.
                usleep(Self.writingMicroseconds)
                journal = try session.readableLines(run)
            }
            let page = RunPage(run, lines: journal.lines, isLive: isLive, damage: journal.damage?.message)
            show(page, session)
            // What could be read was shown, and is not all there was.
            if let damage = journal.damage { throw damage }
        }

        private func show(_ page: RunPage, _ session: borrowing Session) {
            guard !options.json else {
                session.console.result(String(decoding: page.json.bytes(), as: UTF8.self))
                return
            }
            let pager = Pager(session.caller, project: session.project.project)
            page.lines(Paint(1, session.caller.environment, colour), processes: processes).forEach(pager.line)
            pager.finish()
        }

        private func show(_ pruned: PrunedRun, _ console: Console) {
            if options.json {
                console.result(String(decoding: pruned.json.bytes(), as: UTF8.self))
            } else {
                pruned.lines.forEach(console.result)
            }
        }
    }
}

extension String {
    /// Spaces up to a column, at least one.
    func padded(_ width: Int) -> String { self + String(repeating: " ", count: max(1, width - count)) }
}
