import Authority
import BrokerLink
import Domain
import Egress
import Journal
import Redaction

/// A run's events as records: what is said of each, and nothing raw.
struct RunRecords {
    let redactor: Redactor

    func created(_ action: Action, digest: Digest, decision: Decision, plan: PlanSummary) -> Record {
        guard case .runCommand(let command) = action.kind else { return Record(.runCreated) }
        let network = plan.network.map { RecordValue.list($0.map { .text(redactor.redact($0)) }) } ?? .null
        return Record(
            .runCreated,
            [
                "project": .id(action.project),
                "command": .list(redactor.redact(arguments: command.arguments).map { .text($0) }),
                "working_directory": .text(redactor.redact(command.workingDirectory)),
                "environment": .list(command.environment.map { .text(redactor.redact($0.name)) }),
                "digest": .digest(digest),
                "verdict": .word(decision.verdict),
                "rule": .rule(decision.rule),
                "risk": .word(decision.risk),
                "engine": .word(plan.engine),
                "workspace": .word(command.workspace),
                "workspace_reason": plan.copyReason.map { .text(redactor.redact($0)) } ?? .null,
                "hidden": .unsigned(UInt64(plan.hiddenCount)),
                "limits": .object(limits(plan.limits)),
                "network": network,
                "secrets": .list(plan.secrets.flatMap(secret)),
                "recipe": recipe(plan.agent),
                "models": .list(plan.agent.services.all.map(service)),
            ]
        )
    }

    /// What the record of a new run says of how it will be walled in.
    struct PlanSummary {
        let engine: EngineWord
        let copyReason: String?
        let hiddenCount: Int
        let limits: ResourceLimits
        /// What may be reached, as it was written; nil for a run without a network.
        let network: [String]?
        let secrets: [HeldSecret]
        let agent: RunAgent
    }

    /// Where a secret goes; never what it is.
    private func secret(_ secret: HeldSecret) -> [RecordValue] {
        secret.bindings.map { binding in
            .object([
                ("name", .text(redactor.redact(secret.name))), ("host", .text(redactor.redact(binding.host.text))),
                ("port", .unsigned(UInt64(binding.port))), ("field", .text(redactor.redact(binding.slot.field))),
            ])
        }
    }

    enum EngineWord: String, CaseIterable { case native }

    func granted(_ grant: borrowing Grant) -> Record {
        Record(
            .grantIssued,
            ["grant": .id(grant.id), "digest": .digest(grant.digest), "rule": .rule(grant.decision.rule)]
        )
    }

    /// The last that there is to say of a command itself: what was seen of it, then its end.
    func ended(_ outcome: Outcome) -> [Record] {
        observed(outcome.observation) + (outcome.network.map { [networkEnded($0)] } ?? [])
            + (outcome.models.map { [modelsEnded($0)] } ?? []) + [exited(outcome)]
    }

    private func exited(_ outcome: Outcome) -> Record {
        var ending: [(StaticString, RecordValue)]
        switch outcome.ending {
        case .exited(let code): ending = [("exit_code", .integer(Int64(code))), ("signal", .null)]
        case .signalled(let signal): ending = [("exit_code", .null), ("signal", .integer(Int64(signal)))]
        }
        ending += [
            ("was_killed", .flag(outcome.wasKilled)),
            ("cause", outcome.cause.map { .word($0) } ?? .null),
            ("layers", .list(outcome.layers.map { .word($0) })),
            ("held_by", .object(LimitName.allCases.compactMap { mechanism(outcome, $0) })),
            ("wall_milliseconds", .unsigned(UInt64(outcome.usage.wallSeconds * 1000))),
            ("cpu_milliseconds", .unsigned(UInt64(outcome.usage.cpuSeconds * 1000))),
            ("peak_memory_bytes", outcome.usage.peakMemoryBytes.map { .unsigned($0) } ?? .null),
            ("stdout_bytes", .unsigned(outcome.usage.standardOutputBytes)),
            ("stderr_bytes", .unsigned(outcome.usage.standardErrorBytes)),
        ]
        return Record(.commandExited, fields: ending)
    }

    /// A command that died with its Bailey: how it would have ended is not known.
    func lost() -> Record {
        Record(
            .commandExited,
            ["exit_code": .null, "signal": .null, "was_killed": .flag(true), "cause": .constant("bailey_died")]
        )
    }

    /// A run whose Bailey was killed while the command ran.
    func interrupted() -> Record {
        Record(.runFailed, ["error": .text(Redacted(constant: "bailey was killed; the sandbox died with it"))])
    }

    /// A run that could not start.
    func failed(_ error: any Error) -> Record {
        let message = (error as? any UserFacingError)?.message ?? "\(error)"
        return Record(.runFailed, ["error": .text(redactor.redact(message))])
    }

    private func mechanism(_ outcome: Outcome, _ name: LimitName) -> (StaticString, RecordValue)? {
        guard let mechanism = outcome.mechanisms[name] else { return nil }
        let key: StaticString =
            switch name {
            case .timeout: "timeout"
            case .memory: "memory"
            case .processes: "processes"
            case .output: "output"
            case .cpuTime: "cpu_time"
            case .workspaceBytes: "workspace_bytes"
            case .workspaceFiles: "workspace_files"
            case .openFiles: "open_files"
            }
        return (key, .word(mechanism))
    }

    private func limits(_ limits: ResourceLimits) -> [(StaticString, RecordValue)] {
        [
            ("timeout_milliseconds", limits.timeoutSeconds.map { .unsigned(UInt64($0 * 1000)) } ?? .null),
            ("memory_bytes", .unsigned(limits.memoryBytes)), ("processes", .unsigned(limits.processes)),
            ("cpu_seconds", .unsigned(limits.cpuSeconds)),
            ("output_bytes", limits.outputBytes.map { .unsigned($0) } ?? .null),
            ("workspace_bytes", .unsigned(limits.workspaceBytes)),
            ("workspace_files", .unsigned(limits.workspaceFiles)), ("open_files", .unsigned(limits.openFiles)),
        ]
    }
}
