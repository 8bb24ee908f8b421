package import Domain
import Policy

/// What the gate says about a change set.
package struct GateReport: Sendable {
    /// What would be applied: without entries that are no change and without sockets and FIFOs.
    package let changeSet: ChangeSet
    package let findings: [GateFinding]
    package let conflicts: [Conflict]

    package init(changeSet: ChangeSet, findings: [GateFinding], conflicts: [Conflict]) {
        self.changeSet = changeSet
        self.findings = findings
        self.conflicts = conflicts
    }

    /// The strongest word on any entry.
    package var verdict: Verdict { findings.map(\.level).max() ?? .allow }
    /// Whether the set may enter the project without asking anybody.
    package var isApplicableUnasked: Bool { verdict <= .note && conflicts.isEmpty }
}

/// Judges what may enter the user's trees.
package struct CommitGate {
    private let plan: WorkspacePlan
    private let limits: ResourceLimits
    private let toolchainRoots: [String]

    /// - Parameter toolchainRoots: absolute paths of toolchains that the command saw read-only; links may lead there.
    package init(_ plan: WorkspacePlan, limits: ResourceLimits, toolchainRoots: [String] = []) {
        self.plan = plan
        self.limits = limits
        self.toolchainRoots = toolchainRoots
    }

    /// Judges every entry, and compares the trees with what the command started from. Call it again before an apply
    /// that comes later: the trees may have changed.
    package func judge(
        _ changeSet: ChangeSet,
        inspector: any ChangeInspector
    ) throws(WorkspaceError) -> GateReport {
        try WorkspaceError.attempt("judge the changes of the run") {
            try plan.check(changeSet)
            let inspections = try inspector.inspect(changeSet.changes, trees: plan.workspaceTrees)
            guard inspections.count == changeSet.changes.count else {
                throw WorkspaceError(.refused, "judge the changes of the run: the inspection is not complete")
            }
            var findings = wholeSetFindings(changeSet)
            // Links are followed only where something was changed.
            let links = changeSet.changes.isEmpty ? nil : SettingLinks(plan.trees[0])
            if let finding = links?.wholeSetFinding { findings.append(finding) }
            let environments = GateRules.newEnvironments(changeSet.changes)
            var kept: [Change] = []
            for (change, inspection) in zip(changeSet.changes, inspections) {
                switch inspection {
                case .unchanged: continue
                case .dropped(let finding):
                    findings.append(finding)
                    continue
                default: break
                }
                if change.kind != .deleted, change.file == .fifo || change.file == .socket {
                    findings.append(Self.dropped(change))
                    continue
                }
                kept.append(change)
                let named: GateFinding?
                switch inspection {
                case .unchanged, .dropped: continue
                case .ordinary: named = nil
                case .finding(let finding): named = finding
                case .notMine:
                    named = GateRules.judge(change, toolchainRoots: toolchainRoots, newEnvironments: environments)
                }
                let linked = [named, links?.finding(change), SettingLinks.finding(newLink: change)].compactMap { $0 }
                if let strongest = Self.strongest(linked) { findings.append(strongest) }
            }
            let reduced = ChangeSet(
                run: changeSet.run,
                changes: kept,
                replacedDirectories: changeSet.replacedDirectories,
                excesses: changeSet.excesses
            )
            let trees = try plan.trees.map { try OpenTree($0) }
            let conflicts = try ConflictCheck(plan, reduced, trees).conflicts()
            return GateReport(changeSet: reduced, findings: findings, conflicts: conflicts)
        }
    }

    /// The first of those with the highest level.
    private static func strongest(_ findings: [GateFinding]) -> GateFinding? {
        findings.dropFirst().reduce(findings.first) { best, next in
            next.level > best?.level ?? .allow ? next : best
        }
    }

    private static func dropped(_ change: Change) -> GateFinding {
        GateFinding(
            tree: change.tree,
            path: change.path,
            rule: RuleID("special-file-dropped"),
            level: .note,
            reason:
                "a \(change.file == .fifo ? "FIFO" : "socket") stays behind: only the command's own processes used it"
        )
    }

    private func wholeSetFindings(_ set: ChangeSet) -> [GateFinding] {
        set.excesses.map { excess in
            let (rule, reason): (RuleID, String) =
                switch excess.kind {
                case .files:
                    (
                        RuleID("too-many-files"),
                        "more than \(limits.workspaceFiles) entries were changed; the listing stops here"
                    )
                case .bytes:
                    (RuleID("too-many-bytes"), "the changed files hold more than \(limits.workspaceBytes) bytes")
                case .depth:
                    (RuleID("too-deep"), "directories lie more than \(WorkspaceLimits.depthMax) levels deep")
                }
            return GateFinding(
                tree: excess.place.tree,
                path: excess.place.path,
                rule: rule,
                level: .deny,
                reason: reason
            )
        }
    }
}
