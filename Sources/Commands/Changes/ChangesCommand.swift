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
        @Argument(help: "A run: an id, an unambiguous prefix of one, or last.") var name: String = "last"

        func run() throws {
            let session = try Session.open(project: options.project)
            let run = try RunDirectory.find(name, in: session.project)
            let listing = ChangeListing(console: session.console)
            let state = try session.summary(run).state
            if state == .applied || state == .discarded || state == .finished {
                try showSettled(run, state, session, listing)
                return
            }
            let held = try HeldRun(run, session)
            let report = try held.judge()
            if options.json {
                let json = listing.json(report, state: held.summary.state.rawValue)
                session.console.result(String(decoding: json.bytes(), as: UTF8.self))
                return
            }
            listing.result(report)
            if !names { try listing.diff(report.changeSet, held.plan) { session.console.result($0) } }
        }

        /// The layers of a settled run are gone; its listing stays.
        private func showSettled(
            _ run: RunID,
            _ state: RunSummary.State,
            _ session: borrowing Session,
            _ listing: ChangeListing
        ) throws {
            let directory = try RunDirectory.open(run, in: session.project)
            let stored = try Assembly(state: session.state).stored(directory, of: session.project)
            guard let changes = try WorkspacePlan.loadChanges(stored) else { return }
            let report = GateReport(changeSet: changes, findings: [], conflicts: [])
            if options.json {
                let json = listing.json(report, state: state.rawValue)
                session.console.result(String(decoding: json.bytes(), as: UTF8.self))
            } else {
                listing.result(report)
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
