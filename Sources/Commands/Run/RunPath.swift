import Authority
import Domain
import Files
import Journal
import Policy
import Sandbox
import Workspace

/// The whole path of one run, from the command line to the last record. Everything that `bailey run` does happens here,
/// in this order; the parts know nothing of each other.
struct RunPath {
    let words: [String]
    let options: RunOptions
    let caller: Caller

    func run() throws -> Int32 {
        // Where: the project, the state, what the operator allows. What a killed Bailey left is healed first.
        let context = try RunContext.open(words, options, caller: caller)

        // The launcher starts and waits, while we find out what to tell it.
        let sandbox = try context.startFirstSandbox()

        // What the command will see: the project without what is hidden.
        let git = try GitView(project: context.place.project, caller: caller, console: context.console)
        var plan = try context.prepareFirst(git)

        // What is wanted, exactly, and the journal that says so.
        let action = try context.action(plan)
        let ledger = try RunLedger(context, action, plan)

        // The decision, the grant and the execution that consumes it.
        let outcome: Outcome
        do {
            outcome = try execute(action, &plan, consume sandbox, ledger, git)
        } catch {
            try ledger.fail(error, nil, plan)
            throw error
        }

        // What it did, and what becomes of it.
        do {
            return try plan.mode == .direct ? look(outcome, plan, ledger, git) : settle(outcome, plan, ledger, git)
        } catch let unjudged as Unjudged {
            try ledger.fail(unjudged.error, outcome, plan)
            throw unjudged.error
        }
    }

    /// The command came to its end, and what it did could not be told.
    private struct Unjudged: Error { let error: any Error }

    private func judging<Result>(_ body: () throws -> Result) throws -> Result {
        do {
            return try body()
        } catch {
            throw Unjudged(error: error)
        }
    }

    /// Takes the sandbox and lets go of it: with it the caller's terminal becomes what it was, which a question needs.
    private func execute(
        _ action: Action,
        _ plan: inout WorkspacePlan,
        _ sandbox: consuming PreparedSandbox,
        _ ledger: RunLedger,
        _ git: GitView
    ) throws -> Outcome {
        let context = ledger.context
        let view = try SandboxView(place: context.place, assembly: context.assembly, run: action.run, git: git)
        let grant = try ledger.permit(action, plan)
        try ledger.listen(to: sandbox)
        if let live = plan.live { context.console.remark(DirectNotice.start(live)) }
        do {
            return try view.execute(grant, plan, sandbox)
        } catch let error as SandboxError where error.code == .overlay && options.workspace == nil {
            // This file system cannot be a layer. A copy is as safe and only slower; the record says why.
            plan = try context.prepare(.copy(reason: error.message), git)
            let again = try ledger.permit(try context.action(plan), plan)
            let another = try context.startSandbox()
            try ledger.listen(to: another)
            return try view.execute(again, plan, another)
        }
    }

    /// The changes pass the gate, and are applied, held or discarded.
    private func settle(_ outcome: Outcome, _ plan: WorkspacePlan, _ ledger: RunLedger, _ git: GitView) throws -> Int32
    {
        let context = ledger.context
        let closing = ledger.closing(plan)
        let packs = PackCheck(commands: context.ownCommands)
        let gate = ChangeGate(
            plan: plan,
            limits: context.place.limits,
            caller: caller,
            inspector: git.inspector(verifyPack: packs.verify)
        )
        let report = try judging { try closing.record(outcome, gate: gate, limits: context.place.limits) }
        // Half of what a command meant to do is nothing to bring in unasked.
        let wished = options.applyMode(context.console)
        let mode = outcome.cause == .sandboxDied && wished == .auto ? .never : wished
        let state = try closing.settle(report, gate: gate, mode: mode)
        try ledger.seal()
        return try ledger.report.finish(outcome, state: state, report: report)
    }

    /// The changes are in the project already: what the gate would have stopped is told.
    private func look(_ outcome: Outcome, _ plan: WorkspacePlan, _ ledger: RunLedger, _ git: GitView) throws -> Int32 {
        let context = ledger.context
        let closing = DirectClosing(plan: plan, git: git, caller: caller)
        let report = try judging { try closing.look() }
        let events = ledger.records.ended(outcome) + ledger.records.looked(report)
        try closing.close(context.directory, context.place.state, ledger.journal, events, actor: context.principal)
        try ledger.seal()
        return try ledger.report.finish(outcome, direct: report)
    }
}
