package import Domain
package import Files
import Synchronization

/// The journal of what belongs to no run, above all where each run's journal stood when it ended or paused. After every
/// append a signed checkpoint covers all of it, and so, through the heads, every run.
package final class AuthorityJournal: Sendable {
    /// What was cut off an unfinished tail; the caller appends ``JournalRecovery/record``.
    package var recovery: JournalRecovery? { writer.recovery }

    private let writer: JournalWriter
    private let directory: Directory
    private let project: ProjectID
    private let key: SigningKey
    private let tree: Mutex<MerkleTree>

    /// Opens or makes the journal in `.bailey`. Waits a while for another process that is writing it. Refuses to go on
    /// where the last checkpoint does not fit what is there: a new one would vouch for a forgery. Lines that the
    /// checkpoint covers are compared with it as a whole, the others are read one by one.
    package init(
        in bailey: borrowing Directory,
        project: ProjectID,
        key: SigningKey,
        time: any TimeSource
    ) throws(JournalError) {
        let checkpoint = Self.signedCheckpoint(in: bailey, project: project, key: key)
        var start: SignedStart?
        var leaves: [Digest] = []
        let opened = try JournalOpening.open(
            .authority,
            in: bailey,
            time: time,
            lockWaitSeconds: JournalLimits.lockWaitSeconds,
            knownStart: { (file: borrowing Descriptor, mark) throws(SystemError) in
                guard let checkpoint else { return nil }
                start = try SignedStart(file.duplicate(), checkpoint: checkpoint, mark: mark)
                return start?.chain
            },
            onLine: { leaves.append($0.leaf) }
        )
        writer = JournalWriter(opened, time: time)
        self.project = project
        self.key = key
        var tree = start?.tree ?? MerkleTree()
        for leaf in leaves { tree.append(leaf) }
        self.tree = Mutex(tree)
        do {
            directory = try bailey.directory(Array(JournalSubject.authority.directoryName.utf8))
        } catch {
            throw JournalError("open the journal of authority", error)
        }
        try removeUnfinished()
        if start == nil { try checkLastCheckpoint(in: bailey, leaves: leaves) }
    }

    /// The checkpoint, if there is one and it is ours; what is wrong with another is told by ``checkLastCheckpoint``.
    private static func signedCheckpoint(
        in bailey: borrowing Directory,
        project: ProjectID,
        key: SigningKey
    ) -> Checkpoint? {
        guard let note = try? Checkpoint.read(in: bailey),
            let checkpoint = try? Checkpoint(note, key: key.verifyingKey),
            checkpoint.origin == "bailey/" + project.rawValue
        else { return nil }
        return checkpoint
    }

    /// Whoever writes a checkpoint holds the journal's lock, as we do now: another's half of one is a dead process's.
    private func removeUnfinished() throws(JournalError) {
        do {
            try FileContent.removeUnfinished(in: directory)
        } catch {
            throw JournalError("open the journal of authority", error)
        }
    }

    private func checkLastCheckpoint(in bailey: borrowing Directory, leaves: [Digest]) throws(JournalError) {
        let note: [UInt8]?
        do {
            note = try Checkpoint.read(in: bailey)
        } catch {
            throw JournalError("read the checkpoint", error)
        }
        guard let note else {
            // It is written before the first line, so only an empty journal may lack it.
            guard leaves.isEmpty else { throw Self.tampered("is missing") }
            try writeCheckpoint(of: MerkleTree())
            return
        }
        do throws(CheckpointFault) {
            let checkpoint = try Checkpoint(note, key: key.verifyingKey)
            guard checkpoint.origin == "bailey/" + project.rawValue else {
                throw CheckpointFault("belongs to \(checkpoint.origin)")
            }
            guard checkpoint.size <= leaves.count else {
                throw CheckpointFault("covers \(checkpoint.size) lines where the journal has \(leaves.count)")
            }
            guard MerkleTree(leaves.prefix(Int(checkpoint.size))).root == checkpoint.root else {
                throw CheckpointFault("does not match the journal's lines")
            }
        } catch {
            throw Self.tampered(error.reason)
        }
    }

    private static func tampered(_ reason: String) -> JournalError {
        JournalError(
            .tampered,
            "open the journal of authority: its checkpoint \(reason); it is closed for writing",
            hint:
                "If the state directory was replaced on purpose, move .bailey/authority away; else keep a copy of both."
        )
    }

    /// Records where a run's journal stands: at its end, and whenever it pauses.
    package func recordHead(of run: RunID, _ head: JournalHead, actor: Principal) throws(JournalError) {
        let fields: KeyValuePairs<StaticString, RecordValue> = [
            "run": .id(run), "size": .unsigned(head.size), "head": .digest(head.leaf),
        ]
        try append([Record(.runHead, fields)], actor: actor)
    }

    /// Records that a run is about to be removed; do it before the removal, so that a run is never missing unexplained.
    package func recordPruned(_ run: RunID, actor: Principal) throws(JournalError) {
        try append([Record(.runPruned, ["run": .id(run)])], actor: actor)
    }

    /// Appends the records and signs a checkpoint over them.
    package func append(_ records: [Record], actor: Principal) throws(JournalError) {
        // One at a time: the tree and the checkpoint must grow in the order of the lines.
        let result = tree.withLock { tree in
            Result { () throws(JournalError) in
                for leaf in try writer.commit(records, actor: actor).leaves { tree.append(leaf) }
                try writeCheckpoint(of: tree)
            }
        }
        try result.get()
    }

    private func writeCheckpoint(of tree: MerkleTree) throws(JournalError) {
        let note = try Checkpoint(project: project, tree: tree).signed(by: key)
        do {
            try FileContent.replace(Checkpoint.fileName, in: directory, with: note)
        } catch {
            throw JournalError("write the checkpoint", error, hint: "The events themselves are in the journal.")
        }
    }
}
