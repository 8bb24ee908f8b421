package import Authority
package import Domain
import Files
import Glibc

/// Brings a change set into the user's trees: all of it or nothing, also if this process is killed at any moment.
package struct Apply {
    package struct Outcome: Sendable, Equatable {
        /// Steps that were taken.
        package let operations: Int
    }

    /// What ``recover()`` found and did.
    package enum Recovery: Sendable, Equatable {
        /// No apply was under way, or none had begun to touch the trees.
        case nothing
        /// An apply was under way; everything is in place now.
        case finished
        /// An apply was under way and is taken back. `left` are paths that the user has changed since: they stay as
        /// they are, and what was there before the apply is in `kept` in the run's workspace directory.
        case rolledBack(reason: String, left: [RelativePath])
        /// An apply had come to its end.
        case applied
    }

    private let stored: StoredRun
    private let lockDirectory: String
    private let checkpoint: (StaticString) -> Void

    /// - Parameters:
    ///   - stored: the run whose changes are applied.
    ///   - lockDirectory: absolute path of the project's `.bailey`: one apply at a time.
    ///   - checkpoint: called at named points, for tests that end the process there.
    package init(
        _ stored: StoredRun,
        lockDirectory: String,
        checkpoint: @escaping (StaticString) -> Void = { _ in }
    ) {
        self.stored = stored
        self.lockDirectory = lockDirectory
        self.checkpoint = checkpoint
    }

    /// Applies a change set (the gate's reduced one). The trees are compared with the start again first. When this
    /// returns, everything is in place, after a power cut too; ``clear(_:)`` removes what is not needed any more.
    ///
    /// - Parameter layersAreShared: somebody who lives may have files of the layers open. Copies are applied then, to
    ///   which nobody else can write.
    package func perform(
        _ set: ChangeSet,
        _ plan: WorkspacePlan,
        grant: consuming Grant,
        time: any TimeSource,
        layersAreShared: Bool = false
    ) throws(WorkspaceError) -> Outcome {
        let action: Action
        do {
            action = try grant.redeem(at: time)
        } catch {
            throw WorkspaceError(.wrongGrant, "apply the changes: \(error.message)", hint: error.hint)
        }
        guard action.kind == .applyChanges(set.digest), action.run == set.run, plan.run == set.run,
            stored.run == set.run
        else {
            throw WorkspaceError(
                .wrongGrant,
                "apply the changes: the permission is for another change set",
                hint: "Look at the changes again, then apply them."
            )
        }
        return try WorkspaceError.attempt("apply the changes") {
            let lock = try lockProject()
            defer { lock.close() }
            return try perform(set, plan, layersAreShared)
        }
    }

    private func perform(_ set: ChangeSet, _ plan: WorkspacePlan, _ layersAreShared: Bool) throws -> Outcome {
        let context = try ApplyContext(plan, runDirectory: stored.runDirectory, checkpoint: checkpoint)
        context.layersAreShared = layersAreShared
        if try context.workspace.statusIfPresent(WorkspaceFiles.applied) != nil {
            throw WorkspaceError(.refused, "apply the changes: they were applied already")
        }
        if try context.workspace.statusIfPresent(WorkspaceFiles.intent) != nil {
            throw WorkspaceError(
                .busy,
                "apply the changes: an earlier attempt was interrupted",
                hint: "It is finished or taken back when bailey starts next in this project."
            )
        }
        let operations: [ApplyOperation]
        do {
            operations = try stage(set, context)
        } catch {
            try? context.removeStaging()
            throw error
        }
        // If this fails, nobody knows whether the intent outlives a power cut: the next start finishes the apply.
        try context.workspace.synchronize()
        checkpoint("intent written")
        let run = ApplyRun(context, operations)
        do {
            try run.perform()
        } catch {
            try rollBack(run, context, because: error)
        }
        try finish(run, context)
        return Outcome(operations: operations.count)
    }

    /// Stages the new content and writes the intent, which gets its name once both are on the disk.
    private func stage(_ set: ChangeSet, _ context: ApplyContext) throws -> [ApplyOperation] {
        let batch = SyncBatch()
        let operations = try ApplyStaging.stage(set, in: context, batch)
        let intent = ApplyIntent(digest: set.digest, besideTrees: context.besideTrees, operations: operations)
        let bytes = intent.encoded(by: stored.intentSeal)
        let waiting = try FileContent.begin(in: context.workspace, with: bytes, durableWith: batch)
        do {
            checkpoint("prepared")
            try batch.synchronize()
            checkpoint("staged")
            try context.workspace.rename(waiting, to: context.workspace, WorkspaceFiles.intent)
        } catch {
            try? context.workspace.removeFile(waiting)
            throw error
        }
        return operations
    }

    private func rollBack(_ run: ApplyRun, _ context: ApplyContext, because error: any Error) throws -> Never {
        let left = try run.undo()
        try run.synchronize()
        try end(context, by: nil)
        guard !left.isEmpty else { throw error }
        throw WorkspaceError(
            .conflict,
            "apply the changes: \(error); taken back but for \(left[0]), which was changed meanwhile",
            path: left[0],
            hint: "What was there before is in \(Printable.text(stored.runDirectory))/workspace/kept."
        )
    }

    private func finish(_ run: ApplyRun, _ context: ApplyContext) throws {
        checkpoint("before the last sync")
        try run.synchronize()
        checkpoint("synced")
        try end(context, by: WorkspaceFiles.applied)
        checkpoint("applied")
    }

    /// Removes the old content and the command's layers after a ``perform(_:_:grant:time:)``. Nothing depends on it: a
    /// failure is no failure of the apply, and what is left the next recovery removes.
    package func clear(_ plan: WorkspacePlan) throws(WorkspaceError) {
        try WorkspaceError.attempt("remove what the apply needed on its way") {
            let context = try ApplyContext(plan, runDirectory: stored.runDirectory, checkpoint: checkpoint)
            guard plan.run == stored.run, try context.workspace.statusIfPresent(WorkspaceFiles.applied) != nil else {
                throw WorkspaceError(.refused, "remove what the apply needed on its way: it has not come to its end")
            }
            try clear(context)
        }
    }

    /// Ends the apply: the intent goes, or becomes the mark that everything is in place.
    private func end(_ context: ApplyContext, by mark: [UInt8]?) throws {
        if let mark {
            try context.workspace.rename(WorkspaceFiles.intent, to: context.workspace, mark)
        } else {
            try context.workspace.removeFile(WorkspaceFiles.intent)
        }
        try context.workspace.synchronize()
        if mark == nil { try context.removeStaging() }
    }

    /// Removes old content and the command's layers, whose files have a second name in the tree by now.
    private func clear(_ context: ApplyContext) throws {
        try context.removeStaging()
        for tree in context.plan.trees { try context.workspace.removeTree(WorkspaceFiles.tree(tree.tree.index)) }
        checkpoint("cleared")
    }

    /// Finishes or takes back what an apply that was killed has begun. Call it for every run that has no terminal
    /// event.
    ///
    /// - Parameter digest: the change set that the run's journal says was being applied; nil if none was.
    package func recover(applying digest: Digest?) throws(WorkspaceError) -> Recovery {
        try WorkspaceError.attempt("recover the apply of the run") {
            let run = try Directory(trustedPath: stored.runDirectory)
            guard let workspace = try run.directoryIfPresent(at: [WorkspaceFiles.directory]),
                try workspace.statusIfPresent(WorkspaceFiles.plan) != nil
            else { return .nothing }
            let isApplied = try workspace.statusIfPresent(WorkspaceFiles.applied) != nil
            let hasIntent = try workspace.statusIfPresent(WorkspaceFiles.intent) != nil
            let hasStaging = try workspace.statusIfPresent(WorkspaceFiles.staging) != nil
            guard isApplied || hasIntent || hasStaging else { return .nothing }
            let lock = try lockProject()
            defer { lock.close() }
            return try recoverLocked(WorkspacePlan.load(stored), digest)
        }
    }

    private func recoverLocked(_ plan: WorkspacePlan, _ digest: Digest?) throws -> Recovery {
        let context = try ApplyContext(plan, runDirectory: stored.runDirectory, checkpoint: checkpoint)
        if try context.workspace.statusIfPresent(WorkspaceFiles.applied) != nil {
            _ = try readIntent(WorkspaceFiles.applied, context, digest)
            try clear(context)
            return .applied
        }
        guard try context.workspace.statusIfPresent(WorkspaceFiles.intent) != nil else {
            try context.removeStaging()
            return .nothing
        }
        let intent = try readIntent(WorkspaceFiles.intent, context, digest)
        if !intent.operations.isEmpty {
            guard try context.openStaging(besideTrees: intent.besideTrees) else {
                throw WorkspaceError(.damaged, "recover the apply of the run: its staging directory is missing")
            }
        }
        let run = ApplyRun(context, intent.operations, isRecovery: true)
        do {
            try run.perform()
        } catch {
            let left = try run.undo()
            try run.synchronize()
            try end(context, by: nil)
            return .rolledBack(reason: "\(error)", left: left)
        }
        try finish(run, context)
        try clear(context)
        return .finished
    }

    /// What was about to be done: only what Bailey wrote for this run, and what the journal said before it began.
    private func readIntent(_ name: [UInt8], _ context: ApplyContext, _ digest: Digest?) throws -> ApplyIntent {
        let bytes = try WorkspaceFiles.read(name, in: context.workspace)
        let intent = bytes.flatMap { ApplyIntent(encoded: $0, by: stored.intentSeal) }
        guard let intent, intent.digest == digest else {
            throw WorkspaceError(
                .damaged,
                "recover the apply of the run: what it was about to do is not readable, or not what its journal says",
                hint: "Nothing was changed: compare the project with "
                    + "\(Printable.text(stored.runDirectory))/workspace/apply."
            )
        }
        return intent
    }

    /// An exclusive lock that ends with the process.
    private final class ProjectLock {
        private let raw: Int32
        init(owning lock: consuming Descriptor) { raw = lock.release() }
        func close() { _ = Glibc.close(raw) }
    }

    private func lockProject() throws -> ProjectLock {
        let directory = try Directory(trustedPath: lockDirectory)
        let file = try directory.open(
            Array("apply.lock".utf8),
            flags: O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK,
            mode: 0o600
        )
        let stepMicroseconds: UInt32 = 50_000
        var stepsLeft = WorkspaceLimits.lockWaitSeconds * 1_000_000 / Int(stepMicroseconds)
        while try !file.lock(.exclusive, wait: false) {
            guard stepsLeft > 0 else {
                throw WorkspaceError(
                    .busy,
                    "apply the changes: another run is being applied to this project",
                    hint: "Wait until it has ended, then try again."
                )
            }
            stepsLeft -= 1
            usleep(stepMicroseconds)
        }
        return ProjectLock(owning: file)
    }
}
