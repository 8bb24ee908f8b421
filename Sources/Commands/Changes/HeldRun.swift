import Domain
import Journal
import Policy
import Redaction
import Workspace

/// A run whose changes wait, opened again: its listing, its plan, its gate.
struct HeldRun: ~Copyable {
    let run: RunID
    let summary: RunSummary
    let changes: ChangeSet
    let plan: WorkspacePlan
    let gate: ChangeGate
    private let directory: RunDirectory
    private let lock: RunLock
    private let assembly: Assembly

    init(_ run: RunID, _ session: borrowing Session) throws {
        let directory = try RunDirectory.open(run, in: session.project)
        let lock = try RunLock(directory)
        let assembly = try Assembly(state: session.state)
        try Recovery.recover(directory, session, assembly)
        let summary = try session.summary(run, isLive: true)
        guard summary.state == .held else {
            throw CommandError(
                ExitStatus.negative,
                "open the changes of \(run): it holds none (\(summary.state.rawValue))",
                hint: "`bailey changes list` shows the runs that do."
            )
        }
        let stored = assembly.stored(directory, of: session.project)
        guard let changes = try WorkspacePlan.loadChanges(stored) else {
            throw WorkspaceError(
                .damaged,
                "open the changes of \(run): their stored form is missing",
                hint: "`bailey changes discard \(run)` throws away what is left of them."
            )
        }
        let plan = try WorkspacePlan.load(stored)
        let own = OwnCommands(session.caller, session.state, assembly, for: run, of: session.project.id)
        let git = try GitView(project: session.project.project, caller: session.caller)
        let configuration = try ConfigurationFiles.load(caller: session.caller, project: session.project.project)
        self.run = run
        self.summary = summary
        self.changes = changes
        self.plan = plan
        gate = ChangeGate(
            plan: plan,
            limits: configuration.limits.resourceLimits(interactive: false),
            caller: session.caller,
            inspector: git.inspector(verifyPack: PackCheck(commands: own).verify)
        )
        self.assembly = assembly
        self.directory = directory
        self.lock = lock
    }

    func judge() throws -> GateReport { try gate.judge(changes) }

    func closing(_ session: borrowing Session) throws -> RunClosing {
        let redactor = HiddenValues.redactor(
            caller: session.caller,
            project: session.project.project,
            hidden: plan.hidden,
            extra: []
        )
        return RunClosing(
            principal: session.principal,
            project: session.project.id,
            lockDirectory: session.project.path,
            assembly: assembly,
            records: RunRecords(redactor: redactor),
            journal: try JournalWriter(.run(run), in: directory.handle, time: assembly.time),
            stored: assembly.stored(directory, of: session.project),
            plan: plan,
            console: session.console,
            paint: Paint(2, session.caller.environment)
        )
    }

    func recordHead(_ session: borrowing Session, _ closing: RunClosing) throws {
        try assembly.recordHead(of: run, closing.journal, session.project, session.principal)
        try SettledMark.set(directory)
    }
}
