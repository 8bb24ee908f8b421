import Domain
import Files
import Glibc

extension Workspace {
    /// Prepares the project itself, and the git directories outside it that belong to it, to be worked on directly.
    ///
    /// - Parameters:
    ///   - gitDirectories: absolute paths of git directories outside the project that belong to it, already judged.
    ///   - tracked: as in ``prepare(_:gitDirectories:tracked:)``.
    package func prepareDirect(
        gitDirectories: [String],
        inspector: any LiveInspector,
        tracked: (any TrackedSource)?
    ) throws(WorkspaceError) -> WorkspacePlan {
        try WorkspaceError.attempt("prepare the workspace") {
            let workspace = try makeDirectory()
            // First of all: what changes from here on is judged afterwards.
            let baseTime = try stamp(workspace)
            var trees: [WorkspacePlan.Tree] = []
            var mounts: [WorkspaceMount] = []
            var summary = LiveSummary()
            let lowers = try walkAll([stored.project] + gitDirectories, tracked)
            for lower in lowers {
                try refuseUnfit(lower)
                let tree = try liveTree(lower, in: workspace)
                let guards: [WorkspaceGuard]
                if lower.number == 0 {
                    summary = try LiveGuards.ofProject(tree, lower.index, inspector)
                    guards = summary.guards
                } else {
                    guards = try LiveGuards.ofReadOnlyTree(tree, lower.index, inspector)
                    summary.outsideGitDirectories += 1
                }
                mounts.append(mount(.live(isReadOnly: lower.number != 0, guards: guards), lower))
                trees.append(
                    WorkspacePlan.Tree(
                        tree: tree,
                        ownerUserID: lower.status.userID,
                        ownerGroupID: lower.status.groupID,
                        index: lower.index,
                        manifest: nil
                    )
                )
            }
            let plan = WorkspacePlan(
                run: stored.run,
                mode: .direct,
                copyReason: nil,
                trees: trees,
                baseTime: baseTime,
                mounts: mounts,
                live: summary,
                leases: []
            )
            try plan.store(in: workspace, stored, caches: lowers.map(\.cache))
            return plan
        }
    }

    /// Nothing is ever written there: it stands for "what the command changed elsewhere", which is nothing.
    private func liveTree(_ lower: Lower, in workspace: borrowing Directory) throws -> WorkspaceTree {
        let name = WorkspaceFiles.tree(lower.number)
        try workspace.removeTree(name)
        try workspace.makeDirectory(name, mode: 0o700)
        return stored.tree(lower.number, lower: lower.path, mode: .direct)
    }

    private func refuseUnfit(_ lower: Lower) throws {
        let reason: String
        var hint = "Use --workspace copy, or give the whole project one owner and group."
        if geteuid() != 0, lower.status.groupID != getegid() {
            reason = "the project has the group \(lower.status.groupID), which is not your own"
        } else if let foreign = lower.index.foreignOwner {
            reason = "files in \(foreign) have another owner or group than the project"
        } else if let place = lower.index.mountPoints.first {
            reason = "something is mounted at \(place)"
            hint = "Use --workspace copy, which shows nothing of what is mounted, or unmount it first."
        } else {
            return
        }
        throw WorkspaceError(
            .unusable,
            "prepare the workspace: the project cannot be shown directly: \(reason)",
            hint: hint
        )
    }
}
