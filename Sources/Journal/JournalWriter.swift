package import Domain
package import Files
import Glibc

/// The one committer of a journal. What ``append(_:actor:)`` has returned from is durable.
///
/// Threads that append at the same time share one write and one sync: the first becomes the leader and commits for all
/// who are waiting, the others sleep until it is done. After a failed write or sync nobody knows what is on disk, so
/// the writer refuses everything from then on; opening the journal anew finds out.
package final class JournalWriter: Sendable {
    package let subject: JournalSubject
    /// What was cut off an unfinished tail when the journal was opened; the caller appends ``JournalRecovery/record``.
    package let recovery: JournalRecovery?

    private let file: LockedFile
    private let mark: Descriptor
    private let time: any TimeSource
    private let monitor: Monitor<State>

    private struct Submission {
        let records: [(type: RecordType, data: [UInt8])]
        let actor: String
        let ticket: UInt64
    }

    /// The hashes of the lines that one call appended, and where the journal stands after them.
    struct Appended: Sendable {
        var leaves: [Digest] = []
        var head: JournalHead
    }

    private struct State {
        var chain: Chain
        var waiting: [Submission] = []
        var results: [UInt64: Result<Appended, JournalError>] = [:]
        var nextTicket: UInt64 = 0
        var isLed = false
        var failure: JournalError?
    }

    /// Opens or makes the journal: `journal/` in a run's directory, or `authority/` in `.bailey`. Takes its lock,
    /// checks it from the first line on, cuts an unfinished tail behind the durable mark and refuses anything else that
    /// is wrong.
    package convenience init(
        _ subject: JournalSubject,
        in parent: borrowing Directory,
        time: any TimeSource,
        lockWaitSeconds: UInt64 = 0
    ) throws(JournalError) {
        try self.init(subject, in: parent, time: time, lockWaitSeconds: lockWaitSeconds) { _ in }
    }

    convenience init(
        _ subject: JournalSubject,
        in parent: borrowing Directory,
        time: any TimeSource,
        lockWaitSeconds: UInt64,
        onLine: (JournalLine) -> Void
    ) throws(JournalError) {
        self.init(
            try JournalOpening.open(
                subject,
                in: parent,
                time: time,
                lockWaitSeconds: lockWaitSeconds,
                knownStart: { _, _ in nil },
                onLine: onLine
            ),
            time: time
        )
    }

    init(_ opened: consuming JournalOpening.Opened, time: any TimeSource) {
        subject = opened.chain.subject
        recovery = opened.recovery
        monitor = Monitor(State(chain: opened.chain))
        file = opened.file
        mark = opened.mark
        self.time = time
    }

    /// Where the journal stands: what a checkpoint pins.
    package var head: JournalHead { monitor.withLock { $0.chain.head } }

    /// The run has had its terminal event.
    package var isEnded: Bool { monitor.withLock { $0.chain.isEnded } }

    /// Appends the records as consecutive lines, all or none, and returns once they are durable.
    @discardableResult
    package func append(_ records: [Record], actor: Principal) throws(JournalError) -> JournalHead {
        try commit(records, actor: actor).head
    }

    @discardableResult
    package func append(_ record: Record, actor: Principal) throws(JournalError) -> JournalHead {
        try append([record], actor: actor)
    }

    func commit(_ records: [Record], actor: Principal) throws(JournalError) -> Appended {
        let actor = try JournalLine.actor(actor)
        var encoded: [(type: RecordType, data: [UInt8])] = []
        for (index, record) in records.enumerated() {
            if subject.isEnded(by: record.type), index + 1 < records.count {
                throw JournalError(
                    .invalidRecord,
                    "append to the journal of \(subject.name): \(record.type.rawValue) is not last"
                )
            }
            encoded.append((record.type, try RecordEncoder.data(of: record)))
        }
        let ticket = monitor.withLock { (state: inout State) -> UInt64 in
            state.nextTicket += 1
            state.waiting.append(Submission(records: encoded, actor: actor, ticket: state.nextTicket))
            return state.nextTicket
        }
        while true {
            switch turn(ticket) {
            case .done(let result): return try result.get()
            case .lead(let batch, let chain): lead(batch, from: chain)
            }
        }
    }

    private enum Turn {
        case done(Result<Appended, JournalError>)
        case lead([Submission], from: Chain)
    }

    /// Waits for the result or for the lead.
    private func turn(_ ticket: UInt64) -> Turn {
        monitor.withLock(when: { $0.results[ticket] != nil || !$0.isLed }) { state in
            if let result = state.results.removeValue(forKey: ticket) { return .done(result) }
            if let failure = state.failure {
                state.waiting.removeAll { $0.ticket == ticket }
                return .done(.failure(failure))
            }
            state.isLed = true
            var bytes = 0
            let count = state.waiting.prefix { submission in
                defer { bytes += submission.records.reduce(0) { $0 + $1.data.count } }
                return bytes < JournalLimits.batchBytesMax
            }.count
            let batch = Array(state.waiting.prefix(count))
            state.waiting.removeFirst(count)
            return .lead(batch, from: state.chain)
        }
    }

    private func lead(_ batch: [Submission], from start: Chain) {
        var chain = start
        var bytes: [UInt8] = []
        let timestamp = Timestamp.text(unixMilliseconds: time.unixMilliseconds())
        var results = batch.map { submission in
            Result { () throws(JournalError) in try write(submission, timestamp: timestamp, chain: &chain, to: &bytes) }
        }
        var failure: JournalError?
        do {
            if !bytes.isEmpty { try makeDurable(bytes, at: start.byteCount) }
        } catch {
            failure = poisoned(by: error)
            results = results.map { result in
                result.flatMap { _ in .failure(poisoned(by: error)) }
            }
        }
        // The mark only bounds from below what is durable: without it, recovery has less to rely on and nothing is
        // lost.
        if failure == nil, !bytes.isEmpty { _ = try? DurableMark(chain).write(to: mark) }
        monitor.withLock { state in
            if failure == nil { state.chain = chain }
            state.failure = failure
            for (submission, result) in zip(batch, results) { state.results[submission.ticket] = result }
            state.isLed = false
        }
    }

    /// Puts one submission's lines at the end of the batch; throws with everything as it was.
    private func write(
        _ submission: Submission,
        timestamp: String,
        chain: inout Chain,
        to bytes: inout [UInt8]
    ) throws(JournalError) -> Appended {
        let attempt = "append to the journal of \(subject.name)"
        var next = chain
        var lines: [UInt8] = []
        lines.reserveCapacity(submission.records.reduce(0) { $0 + $1.data.count + JournalLimits.envelopeBytesMax })
        var appended = Appended(head: chain.head)
        for record in submission.records {
            if next.isEnded {
                throw JournalError(.ended, "\(attempt): the run has ended", hint: "Start a new run.")
            }
            let start = lines.count
            JournalLine.write(
                sequence: next.head.size + 1,
                timestamp: timestamp,
                subject: subject,
                type: record.type,
                previous: next.head.leaf,
                actor: submission.actor,
                data: record.data,
                to: &lines
            )
            let count = lines.count - start
            guard count - 1 <= JournalLimits.lineBytesMax else { throw RecordEncoder.tooLong(record.type) }
            next.advance(
                leaf: Hashing.leaf(lines[start..<lines.count - 1]),
                byteCount: count,
                type: record.type
            )
            appended.leaves.append(next.head.leaf)
        }
        guard next.byteCount <= JournalLimits.journalBytesMax else {
            throw JournalError(
                .full,
                "\(attempt): it would be longer than \(JournalLimits.journalBytesMax) bytes",
                hint: "Start a new run."
            )
        }
        appended.head = next.head
        if bytes.isEmpty { bytes = lines } else { bytes.append(contentsOf: lines) }
        chain = next
        return appended
    }

    private func makeDurable(_ bytes: [UInt8], at offset: UInt64) throws(SystemError) {
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                pwrite(
                    file.raw,
                    buffer.baseAddress.map { $0 + written },
                    buffer.count - written,
                    off_t(offset) + off_t(written)
                )
            }
            if count < 0, errno == EINTR { continue }
            if count < 0 {
                let error = SystemError("write", code: errno)
                // Best effort, so that the file holds no part of lines that nobody was told of; recovery cuts it
                // otherwise.
                _ = ftruncate(file.raw, off_t(offset))
                throw error
            }
            written += count
        }
        // Never tried again: after a failed sync the kernel may have dropped the pages and would report success.
        _ = try SystemError.check("fdatasync", fdatasync(file.raw))
    }

    private func poisoned(by error: SystemError) -> JournalError {
        let isFull = error.code == ENOSPC || error.code == EDQUOT
        return JournalError(
            .poisoned,
            "append to the journal of \(subject.name): \(error); nothing more is written to it",
            hint: isFull ? "Free disk space, then start again." : "Check the disk, then start again."
        )
    }
}
