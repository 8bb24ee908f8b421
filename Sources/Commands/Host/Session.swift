import Domain
import Files
import Journal

/// What every subcommand on an existing project needs, opened in order.
struct Session: ~Copyable {
    let console: Console
    let caller: Caller
    let time: SystemTime
    let state: StateDirectory
    let project: ProjectDirectory

    /// Opens the project that holds runs already.
    static func open(project path: String?) throws -> Session {
        let caller = try Caller.current()
        try InsideGuard.refuseInside()
        let root = try ProjectLocator.locate(explicit: path, caller: caller)
        try ProjectTrust.check(root, caller: caller)
        try ShutProject.reopen(root, caller: caller)
        let state = try StateDirectory.open(caller, project: root)
        let project = try ProjectDirectory.open(root, state: state, caller: caller, makesIfAbsent: false)
        return Session(console: Console(), caller: caller, time: SystemTime(), state: state, project: project)
    }

    var principal: Principal { .human(userID: caller.userID) }

    /// A run's summary; damage of its journal is told and not hidden.
    func summary(_ run: RunID) throws -> RunSummary {
        let directory = try RunDirectory.open(run, in: project)
        return try summary(run, isLive: try RunLock.isHeld(directory))
    }

    func summary(_ run: RunID, isLive: Bool) throws -> RunSummary {
        RunSummary(run, lines: try lines(run), isLive: isLive)
    }

    /// The lines of a run's journal up to the first that is none or does not follow the one before it, and what is
    /// wrong with that.
    func readableLines(_ run: RunID) throws -> (lines: [JournalLine], damage: JournalError?) {
        let directory = try RunDirectory.open(run, in: project)
        guard try hasJournal(directory) else { return ([], nil) }
        do {
            return try JournalReader.readableLines(.run(run), in: directory.handle)
        } catch {
            return ([], error)
        }
    }

    /// A run that is being prepared, or was killed while it was, has none yet.
    private func hasJournal(_ directory: borrowing RunDirectory) throws -> Bool {
        try directory.handle.statusIfPresent(Array("journal".utf8)) != nil
            || directory.handle.statusIfPresent(SettledMark.name) != nil
    }

    func lines(_ run: RunID) throws -> [JournalLine] {
        let directory = try RunDirectory.open(run, in: project)
        guard try hasJournal(directory) else { return [] }
        return try JournalReader.lines(.run(run), in: directory.handle)
    }
}
