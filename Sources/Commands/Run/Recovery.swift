import BrokerLink
import Domain
import Files
import Journal
import Redaction
import Workspace

/// What a start does about runs whose Bailey was killed: an interrupted apply is finished or taken back, a run without
/// an end gets one, layers without an owner go.
enum Recovery {
    /// Looks at every run that nobody works on.
    static func recoverAll(
        _ project: borrowing ProjectDirectory,
        _ state: borrowing StateDirectory,
        _ assembly: Assembly,
        _ principal: Principal
    ) throws {
        let now = assembly.time.unixMilliseconds()
        for run in try RunDirectory.removeLeftovers(in: project, nowUnixMilliseconds: now) {
            let directory = try RunDirectory.open(run, in: project)
            guard try needsRecovery(directory), try !RunLock.isHeld(directory), let lock = try? RunLock(directory)
            else { continue }
            do {
                try recover(directory, project, state, assembly, principal)
            } catch {
                // One damaged run does not stop the others, nor the work of today.
                let reason = (error as? any UserFacingError)?.message ?? "\(error)"
                Console().remark("run \(run) was left as it is: \(reason)")
            }
            withExtendedLifetime(lock) {}
        }
    }

    static func recover(_ directory: borrowing RunDirectory, _ session: borrowing Session, _ assembly: Assembly) throws
    {
        guard try needsRecovery(directory) else { return }
        // Healing may write into the project.
        let lock = try ProjectLock(session.project, .shared, waits: false, console: session.console)
        defer { withExtendedLifetime(lock) {} }
        try recover(directory, session.project, session.state, assembly, session.principal)
    }

    /// A cheap look: a run that ended or is held in order left its mark.
    private static func needsRecovery(_ directory: borrowing RunDirectory) throws -> Bool {
        try directory.handle.statusIfPresent(SettledMark.name) == nil
    }

    private static func recover(
        _ directory: borrowing RunDirectory,
        _ project: borrowing ProjectDirectory,
        _ state: borrowing StateDirectory,
        _ assembly: Assembly,
        _ principal: Principal
    ) throws {
        let run = directory.run
        let journal = try JournalWriter(.run(run), in: directory.handle, time: assembly.time)
        let records = RunRecords(redactor: Redactor())
        if let recovery = journal.recovery, !journal.isEnded { try journal.append(recovery.record, actor: .system) }
        let lines = try JournalReader.lines(.run(run), in: directory.handle)
        let summary = RunSummary(run, lines: lines, isLive: false)
        if !journal.isEnded { try settleModels(RunModels(lines: lines), journal, records) }
        try removeUnfinished(directory)
        let stored = assembly.stored(directory, of: project)
        let apply = Apply(stored, lockDirectory: project.path, checkpoint: CrashPoint.reached)
        switch summary.state {
        case .held:
            let recovery = try apply.recover(applying: summary.applying)
            if let digest = summary.digest {
                try journal.append(records.recovered(recovery, digest), actor: .system)
            }
        case .applied:
            // What it needed on the way may still be there.
            _ = try apply.recover(applying: summary.digest)
            if !journal.isEnded { try journal.append(records.completed(.applied), actor: .system) }
        case .discarded:
            try Discard(runDirectory: directory.path).finish()
            if !journal.isEnded { try journal.append(records.completed(.discarded), actor: .system) }
        case .running, .interrupted:
            try hold(directory, stored, state, journal, records)
        case .finished:
            // What it needed on the way may still be there; its changes are none, or in the project.
            try Discard(runDirectory: directory.path).finish()
        case .failed:
            break
        }
        try assembly.recordHead(of: run, journal, project, principal)
        try LiveGrants.removeSocket(of: run, state)
        try SettledMark.set(directory)
    }

    /// Requests to models that were on their way used what was set aside for them: nobody knows better.
    private static func settleModels(_ models: RunModels, _ journal: JournalWriter, _ records: RunRecords) throws {
        let left = models.unsettled.compactMap { records.model(.settled(.init(estimating: $0))) }
        if !left.isEmpty { try journal.append(left, actor: .system) }
    }

    /// Nobody else writes into a run whose lock we hold.
    private static func removeUnfinished(_ directory: borrowing RunDirectory) throws {
        try FileContent.removeUnfinished(in: directory.handle)
        guard let workspace = try directory.handle.directoryIfPresent(at: [RunDirectory.workspaceName]) else { return }
        try FileContent.removeUnfinished(in: workspace)
    }

    /// A command whose Bailey died was killed with it; what it had done until then is held like any change.
    private static func hold(
        _ directory: borrowing RunDirectory,
        _ stored: StoredRun,
        _ state: borrowing StateDirectory,
        _ journal: JournalWriter,
        _ records: RunRecords
    ) throws {
        // Without a plan the command had not begun. With one, an error leaves everything where it is.
        let plan: WorkspacePlan?
        do {
            plan = try WorkspacePlan.load(stored)
        } catch  where error.code == .damaged && WorkspacePlan.isStored(stored) {
            Console().remark("run \(directory.run) was cut off, and what it did cannot be told: \(error.message)")
            try journal.append([records.lost(), records.interrupted()], actor: .system)
            return
        } catch {
            plan = nil
        }
        if let plan, plan.mode == .direct { return try look(plan, directory, state, journal, records) }
        let changes = try plan?.listChanges(limits: ResourceLimits())
        guard let plan, let changes, !changes.isEmpty else {
            try journal.append(records.interrupted(), actor: .system)
            try directory.removeWorkspace()
            return
        }
        try WorkspacePlan.storeChanges(changes, in: stored)
        try plan.synchronizeChanges(changes)
        try journal.append([records.lost(), records.changes(changes)], actor: .system)
    }

    /// What a direct run had done is in the project. It is looked at as at a run's end, as far as that can be.
    private static func look(
        _ plan: WorkspacePlan,
        _ directory: borrowing RunDirectory,
        _ state: borrowing StateDirectory,
        _ journal: JournalWriter,
        _ records: RunRecords
    ) throws {
        let caller = try Caller.current()
        let git = try GitView(project: plan.project, caller: caller)
        let closing = DirectClosing(plan: plan, git: git, caller: caller)
        let report = try? closing.look()
        if let report {
            Console().remark("the direct run \(directory.run) was cut off; what it did is in the project")
            for line in DirectNotice.end(report, run: directory.run) { Console().remark(line) }
        }
        let events = [records.lost()] + (report.map { [records.looked($0)] } ?? []) + [records.interrupted()]
        try closing.close(directory, state, journal, events, actor: .system)
    }
}
