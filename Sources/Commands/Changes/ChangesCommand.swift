import ArgumentParser
import Domain
import Workspace

/// `bailey changes`.
struct ChangesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "changes",
        abstract: "Look at what runs did to the project; bring it in or throw it away.",
        subcommands: [List.self, Show.self, ApplyHeld.self, DiscardHeld.self]
    )
}

extension ChangesCommand {
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "List the runs whose changes are held.")
        @OptionGroup var options: ProjectOptions

        func run() throws {
            let session = try Session.open(project: options.project)
            for run in try RunDirectory.all(in: session.project) {
                guard let summary = try? session.summary(run), summary.state == .held else { continue }
                if options.json {
                    session.console.result(String(decoding: summary.json.bytes(), as: UTF8.self))
                } else if let counts = summary.counts {
                    session.console.result("\(run)  \(counts.text)")
                }
            }
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Show the changes of a run, what the gate says, and the diff."
        )
        @OptionGroup var options: ProjectOptions
        @Flag(help: "Only the listing, without the diff.") var names = false
        @Flag(name: .customLong("stat"), help: "In place of the diff, how many lines each file lost and won.")
        var statistics = false
        @Option(name: .customLong("color"), help: "Colours: always, never or auto, which is on a terminal.")
        var colour: Paint.Choice = .auto
        @Argument(help: "A run: an id, an unambiguous prefix of one, or last.") var name: String = "last"
        @Argument(help: "Only what lies at these paths.") var paths: [String] = []

        func run() throws {
            guard !names || !statistics else {
                throw CommandError(
                    ExitStatus.usage,
                    "read the options of changes show: --names and --stat ask for two things",
                    hint: "Leave one of them out."
                )
            }
            let session = try Session.open(project: options.project)
            let run = try RunDirectory.find(name, in: session.project)
            let pager = Pager(session.caller, project: session.project.project)
            defer { pager.finish() }
            try show(run, session, pager)
        }

        /// The run is nobody's any more when this returns: a page may be read for long.
        private func show(_ run: RunID, _ session: borrowing Session, _ pager: Pager) throws {
            let listing = ChangeListing(console: session.console)
            let state = try session.summary(run).state
            if state == .applied || state == .discarded || state == .finished {
                try showSettled(run, state, session, listing, pager)
                return
            }
            let held = try HeldRun(run, session)
            let report = try chosen(try held.judge(), session)
            if options.json {
                let json = listing.json(report, state: held.summary.state.rawValue)
                session.console.result(String(decoding: json.bytes(), as: UTF8.self))
                return
            }
            let page = DiffPage(plan: held.plan, paint: Paint(1, session.caller.environment, colour))
            listing.lines(report).forEach(pager.line)
            if statistics {
                try page.statistics(report.changeSet, pager.line)
            } else if !names {
                try page.show(report.changeSet, pager.line)
            }
        }

        /// What of a report is about the paths that were named.
        private func chosen(_ report: GateReport, _ session: borrowing Session) throws -> GateReport {
            guard !paths.isEmpty else { return report }
            let choice = try ChangeChoice(paths, session)
            return try choice.narrow(report)
        }

        /// The layers of a settled run are gone; its listing stays.
        private func showSettled(
            _ run: RunID,
            _ state: RunSummary.State,
            _ session: borrowing Session,
            _ listing: ChangeListing,
            _ pager: Pager
        ) throws {
            let directory = try RunDirectory.open(run, in: session.project)
            let stored = try Assembly(state: session.state).stored(directory, of: session.project)
            guard let changes = try WorkspacePlan.loadChanges(stored) else { return }
            let report = try chosen(GateReport(changeSet: changes, findings: [], conflicts: []), session)
            if options.json {
                let json = listing.json(report, state: state.rawValue)
                session.console.result(String(decoding: json.bytes(), as: UTF8.self))
            } else {
                listing.lines(report).forEach(pager.line)
            }
        }
    }

    struct ApplyHeld: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "apply",
            abstract: "Bring the changes of a run into the project: all of them or none."
        )
        @OptionGroup var options: ProjectOptions
        @Flag(help: "Answer yes where a rule asks, without a terminal.") var yes = false
        @Argument(help: "A run: an id, an unambiguous prefix of one, or last.") var name: String = "last"

        func run() throws {
            let session = try Session.open(project: options.project)
            let lock = try ProjectLock(session.project, .shared, waits: false, console: session.console)
            defer { withExtendedLifetime(lock) {} }
            let held = try HeldRun(try RunDirectory.find(name, in: session.project), session)
            let report = try held.judge()
            try refuse(report, session.console)
            let closing = try held.closing(session)
            if report.verdict == .ask, !yes {
                guard session.console.isInteractive else {
                    throw CommandError(
                        ExitStatus.negative,
                        "apply the changes of \(held.run): a rule asks about \(asked(report))",
                        hint: "Look with `bailey changes show \(held.run)`, then apply with --yes or at a terminal."
                    )
                }
                let state = try closing.ask(report, gate: held.gate)
                try held.recordHead(session, closing)
                session.console.remark("the changes of \(held.run) are \(state.rawValue)")
                if state == .held { throw ExitCode(ExitStatus.negative) }
                return
            }
            do {
                try closing.apply(report)
            } catch let error as WorkspaceError {
                try held.recordHead(session, closing)
                throw CommandError(ExitStatus.negative, error.message, hint: error.hint)
            }
            try held.recordHead(session, closing)
            session.console.remark("applied \(held.run): \(report.changeSet.counts.text)")
        }

        private func refuse(_ report: GateReport, _ console: Console) throws(CommandError) {
            for finding in report.findings where finding.level == .deny {
                console.remark("deny \(finding.path): \(finding.reason) [\(finding.rule)]")
            }
            for conflict in report.conflicts { console.remark("conflict \(conflict.path): \(conflict.cause.rawValue)") }
            guard report.conflicts.isEmpty, report.verdict < .deny else {
                throw CommandError(
                    ExitStatus.negative,
                    "apply the changes of \(report.changeSet.run): the gate holds the set",
                    hint: "Nothing was applied. The changed files lie in the run's workspace; "
                        + "`bailey changes discard \(report.changeSet.run)` throws them away."
                )
            }
        }

        private func asked(_ report: GateReport) -> String {
            report.findings.first { $0.level == .ask }.map { "\($0.path) (\($0.rule))" } ?? "the set"
        }
    }

    struct DiscardHeld: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "discard",
            abstract: "Throw the changes of a run away."
        )
        @OptionGroup var options: ProjectOptions
        @Argument(help: "A run: an id, an unambiguous prefix of one, or last.") var name: String = "last"

        func run() throws {
            let session = try Session.open(project: options.project)
            let run = try RunDirectory.find(name, in: session.project)
            do {
                try discard(run, session)
            } catch let error as WorkspaceError where error.code == .damaged {
                try DamagedRun.discard(run, session, because: error)
            }
            session.console.remark("discarded the changes of \(run)")
        }

        private func discard(_ run: RunID, _ session: borrowing Session) throws {
            let held = try HeldRun(run, session)
            let closing = try held.closing(session)
            try closing.discard(held.changes)
            try held.recordHead(session, closing)
        }
    }
}
