import ArgumentParser
import Domain
import Files
import Journal
import Policy

extension RunsCommand {
    /// Removes whole runs that are over, never one that holds changes unless it is told to, never the folder itself.
    struct Prune: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Remove old runs.")
        @OptionGroup var options: ProjectOptions

        @Option(name: .customLong("older-than"), help: "Only runs created longer ago than this many days.")
        var olderThanDays: UInt = 30

        @Flag(help: "Also runs whose changes are held or whose journal is damaged; they are lost.")
        var held = false

        @Flag(name: .customLong("dry-run"), help: "Only say what would be removed.")
        var dryRun = false

        func run() throws {
            let session = try Session.open(project: options.project)
            let signing = try SigningKey(stateDirectory: session.state.handle)
            let authority = try AuthorityJournal(
                in: session.project.handle,
                project: session.project.id,
                key: signing,
                time: session.time
            )
            for run in try RunDirectory.all(in: session.project) where try isOld(run, session) {
                let directory = try RunDirectory.open(run, in: session.project)
                guard try !RunLock.isHeld(directory), let lock = try? RunLock(directory) else { continue }
                defer { withExtendedLifetime(lock) {} }
                if !held, let reason = reasonToStay(run, session) {
                    session.console.remark("\(run) \(reason) and stays; --held removes it too")
                    continue
                }
                guard !dryRun else {
                    session.console.result("would remove \(run)")
                    continue
                }
                // The word comes first: a run that is gone without it is an alarm.
                try authority.recordPruned(run, actor: session.principal)
                CrashPoint.reached("prune recorded")
                try directory.prune(from: session.project)
                session.console.result("removed \(run)")
            }
        }

        /// Held changes would be lost, and a damaged journal is evidence.
        private func reasonToStay(_ run: RunID, _ session: borrowing Session) -> String? {
            guard let summary = try? session.summary(run) else { return "is damaged" }
            return summary.state == .held ? "holds changes" : nil
        }

        /// By the time in the id, which no later touch of the directory changes.
        private func isOld(_ run: RunID, _ session: borrowing Session) throws -> Bool {
            guard let created = run.createdUnixMilliseconds else { return false }
            let age = session.time.unixMilliseconds() - min(created, session.time.unixMilliseconds())
            return age >= UInt64(olderThanDays) * 86_400_000
        }
    }
}
