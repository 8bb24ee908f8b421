import Authority
import Domain
import Journal
import Redaction
import Workspace

/// A run whose changes wait and cannot be looked at any more, since their stored form is damaged: nothing can be done
/// with them but to throw them away. The journal says what they were.
enum DamagedRun {
    /// Says what is lost, records it, and removes what is left of the changes.
    static func discard(_ run: RunID, _ session: borrowing Session, because damage: WorkspaceError) throws {
        let directory = try RunDirectory.open(run, in: session.project)
        let lock = try RunLock(directory)
        defer { withExtendedLifetime(lock) {} }
        let assembly = try Assembly(state: session.state)
        // An apply that was interrupted comes first: what it began in the project is not thrown away with the rest.
        try Recovery.recover(directory, session, assembly)
        let summary = try session.summary(run, isLive: true)
        guard summary.state == .held, let digest = summary.digest else { throw damage }
        session.console.remark(damage.message)
        session.console.remark(
            "what is lost: " + (summary.counts?.text ?? "changes")
                + "; `bailey journal show \(run)` names them"
        )
        try SettledMark.clear(runDirectory: directory.path)
        let grant = try assembly.authority.authorize(
            Action(
                kind: .discardChanges(digest),
                principal: session.principal,
                run: run,
                project: session.project.id
            )
        )
        let records = RunRecords(redactor: Redactor())
        let journal = try JournalWriter(.run(run), in: directory.handle, time: assembly.time)
        try journal.append([records.granted(grant), records.discardedUnread(digest)], actor: session.principal)
        CrashPoint.reached("discard recorded")
        try Discard(runDirectory: directory.path)
            .perform(digest: digest, of: run, grant: grant, time: assembly.time)
        try journal.append(records.completed(.discarded), actor: session.principal)
        try assembly.recordHead(of: run, journal, session.project, session.principal)
        try SettledMark.set(directory)
    }
}
