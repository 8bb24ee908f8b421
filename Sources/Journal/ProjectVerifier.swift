package import Domain
package import Files
import Glibc

/// What a verification found.
package struct VerificationReport: Sendable {
    package enum Level: String, Sendable, CaseIterable {
        /// Worth knowing; it proves nothing wrong.
        case notice
        /// What is on disk is not what was written.
        case bad
    }

    package struct Finding: Sendable, Equatable {
        package let level: Level
        /// A run's name, `authority`, `checkpoint`, or an entry's name below `runs`.
        package let subject: String
        /// Counted from 1; nil where no line is to blame.
        package let line: UInt64?
        package let reason: String
    }

    /// The first bad line of each subject that is bad; 0 where no line is to blame.
    package var firstBadLines: [String: UInt64] {
        var lines: [String: UInt64] = [:]
        for finding in findings where finding.level == .bad {
            lines[finding.subject] = min(lines[finding.subject] ?? .max, finding.line ?? 0)
        }
        return lines
    }

    package internal(set) var findings: [Finding] = []
    package internal(set) var runs = 0
    /// Runs whose journal has no terminal event.
    package internal(set) var openRuns = 0
    /// Whole lines, the authority's included.
    package internal(set) var lines: UInt64 = 0
    /// The checkpoint's signature was checked with a key, and held.
    package internal(set) var isSignatureVerified = false

    /// Nothing is wrong.
    package var isGood: Bool { !findings.contains { $0.level == .bad } }
}

/// Verifies the journals of a `.bailey` directory against their chains, their durable marks, the authority's heads and
/// the signed checkpoint. It changes nothing and takes no lock: whatever a running Bailey appends meanwhile is fine.
package struct ProjectVerifier {
    private let project: ProjectID?
    private let key: VerifyingKey?
    private var report = VerificationReport()
    /// For each run the sizes at which the authority saw it, with the hashes.
    private var heads: [String: [UInt64: Digest]] = [:]
    private var pruned: Set<String> = []

    /// Verifies all runs, or the one that is named. Without a key the checkpoint's signature is not judged.
    package static func verify(
        bailey: borrowing Directory,
        project: ProjectID?,
        key: VerifyingKey?,
        only run: RunID? = nil
    ) throws(JournalError) -> VerificationReport {
        do {
            var verifier = ProjectVerifier(project: project, key: key)
            try verifier.verifyAuthority(in: bailey)
            try verifier.verifyRuns(in: bailey, only: run?.rawValue)
            return verifier.report
        } catch {
            throw JournalError("verify the journals", error)
        }
    }

    private init(project: ProjectID?, key: VerifyingKey?) {
        self.project = project
        self.key = key
    }

    private mutating func add(_ level: VerificationReport.Level, _ subject: String, _ line: UInt64?, _ reason: String) {
        report.findings.append(VerificationReport.Finding(level: level, subject: subject, line: line, reason: reason))
    }

    /// The checkpoint is read before the lines and the lines before the runs, so that what is appended meanwhile can
    /// only make the later ones longer.
    private mutating func verifyAuthority(in bailey: borrowing Directory) throws(SystemError) {
        let (isPresent, checkpoint) = readCheckpoint(in: bailey)
        var tree = MerkleTree()
        var root = checkpoint?.size == 0 ? tree.root : nil
        var heads: [String: [UInt64: Digest]] = [:]
        var pruned: Set<String> = []
        var clashes: [UInt64] = []
        let scan = try scan(.authority, in: bailey) { line in
            tree.append(line.leaf)
            if tree.size == checkpoint?.size { root = tree.root }
            guard let run = line.data["run"]?.stringValue else { return }
            if line.type == RecordType.runPruned.rawValue { pruned.insert(run) }
            guard line.type == RecordType.runHead.rawValue else { return }
            guard let size = line.data["size"]?.unsignedValue,
                let leaf = line.data["head"]?.stringValue.flatMap(Digest.init(hex:)),
                heads[run]?[size] == nil || heads[run]?[size] == leaf
            else {
                clashes.append(line.sequence)
                return
            }
            heads[run, default: [:]][size] = leaf
        }
        self.heads = heads
        self.pruned = pruned
        for line in clashes { add(.bad, "authority", line, "holds no head, or contradicts an earlier one") }
        guard let scan else {
            if checkpoint.map({ $0.size > 0 }) ?? false { add(.bad, "authority", 1, "is missing: the journal is gone") }
            return
        }
        guard let checkpoint else {
            if !isPresent, scan.chain.head.size > 0 { add(.bad, "checkpoint", nil, "is missing") }
            return
        }
        if checkpoint.size > scan.chain.head.size {
            add(
                .bad,
                "checkpoint",
                nil,
                "covers \(checkpoint.size) lines where the journal has \(scan.chain.head.size)"
            )
        } else if root != checkpoint.root {
            add(.bad, "checkpoint", nil, "does not match the journal's lines")
        }
    }

    private mutating func readCheckpoint(in bailey: borrowing Directory) -> (isPresent: Bool, Checkpoint?) {
        do {
            guard let note = try Checkpoint.read(in: bailey) else { return (false, nil) }
            return (true, checked(note))
        } catch {
            add(.bad, "checkpoint", nil, "cannot be read: \(error)")
            return (true, nil)
        }
    }

    private mutating func checked(_ note: [UInt8]) -> Checkpoint? {
        do throws(CheckpointFault) {
            let checkpoint = try Checkpoint(note, key: key)
            if let project, checkpoint.origin != "bailey/" + project.rawValue {
                throw CheckpointFault("belongs to \(checkpoint.origin)")
            }
            report.isSignatureVerified = key != nil
            return checkpoint
        } catch {
            add(.bad, "checkpoint", nil, error.reason)
            return nil
        }
    }

    /// Scans one journal and reports what breaks it; nil if there is none.
    private mutating func scan(
        _ subject: JournalSubject,
        in parent: borrowing Directory,
        onLine: (JournalLine) -> Void
    ) throws(SystemError) -> JournalScan? {
        let scan: JournalScan
        let mark: DurableMark?
        do {
            // The mark first: it never runs ahead of the journal.
            mark = try JournalFiles.readMark(subject, in: parent).flatMap(DurableMark.init)
            scan = try JournalScan(
                JournalFiles.openJournal(subject, in: parent),
                from: Chain(subject),
                mark: mark,
                onLine: onLine
            )
            if mark == nil, scan.chain.byteCount > 0 || scan.fault != nil {
                add(.bad, subject.name, nil, "has no durable mark: the file head is missing or damaged")
            }
        } catch  where error.code == ENOENT || error.code == ENOTDIR {
            return nil
        } catch  where error.code != EIO && error.code != EACCES && error.code != EMFILE && error.code != ENOMEM {
            add(.bad, subject.name, nil, "cannot be read: \(error)")
            return nil
        }
        report.lines += scan.chain.head.size
        if let fault = scan.fault {
            let isHarmless = fault.isTorn && scan.reachesMark && mark != nil
            add(isHarmless ? .notice : .bad, subject.name, fault.line, fault.reason)
        }
        return scan
    }

    private mutating func verifyRuns(in bailey: borrowing Directory, only wanted: String?) throws(SystemError) {
        var present: Set<String> = []
        if try bailey.statusIfPresent(Array("runs".utf8)) != nil {
            let runs = try bailey.directory(Array("runs".utf8))
            let entries = try runs.entries(atMost: JournalLimits.runsMax).map(\.name)
            for name in entries.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
                guard let run = RunID(String(decoding: name, as: UTF8.self)) else {
                    if wanted == nil { add(.notice, Printable.text(name), nil, "is no run") }
                    continue
                }
                present.insert(run.rawValue)
                if wanted == nil || wanted == run.rawValue { try verify(run, in: runs) }
            }
        }
        for run in heads.keys.sorted() where !present.contains(run) && !pruned.contains(run) {
            if wanted == nil || wanted == run {
                add(.bad, run, nil, "is missing, and no record says that it was pruned")
            }
        }
        if let wanted, !present.contains(wanted), heads[wanted] == nil { add(.bad, wanted, nil, "does not exist") }
    }

    private mutating func verify(_ run: RunID, in runs: borrowing Directory) throws(SystemError) {
        report.runs += 1
        let known = heads[run.rawValue] ?? [:]
        var seen: Set<UInt64> = [0]
        var firstWrong: UInt64?
        let scan: JournalScan?
        do {
            let directory = try runs.directory(Array(run.rawValue.utf8))
            scan = try self.scan(.run(run), in: directory) { line in
                guard let leaf = known[line.sequence] else { return }
                seen.insert(line.sequence)
                if leaf != line.leaf, firstWrong == nil { firstWrong = line.sequence }
            }
        } catch  where error.code == ENOTDIR || error.code == ELOOP {
            add(.bad, run.rawValue, nil, "is no directory")
            return
        }
        guard let scan else {
            if let size = known.keys.max() {
                add(.bad, run.rawValue, 1, "is missing: the journal had \(size) lines once")
            }
            return
        }
        if !scan.chain.isEnded { report.openRuns += 1 }
        let lost = known.keys.filter { !seen.contains($0) }.max()
        if let firstWrong {
            add(.bad, run.rawValue, firstWrong, "is not the line that the authority recorded")
        } else if let lost, scan.fault == nil || scan.fault?.isTorn == true {
            add(.bad, run.rawValue, scan.chain.head.size + 1, "is missing: the journal had \(lost) lines once")
        }
        if scan.chain.isEnded, known.isEmpty {
            add(.notice, run.rawValue, nil, "has ended and no head of it was recorded")
        }
    }
}
