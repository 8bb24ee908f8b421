import Domain
import Files
import Glibc

/// What was cut off a journal when it was opened. Nothing that anybody was told to be durable is ever cut; the caller
/// records that it happened.
package struct JournalRecovery: Sendable, Equatable {
    package let cutAtByte: UInt64
    package let cutBytes: UInt64
    /// The first line that was cut, counted from 1.
    package let line: UInt64
    package let reason: String

    /// The event that tells of it.
    package var record: Record {
        Record(
            .recovered,
            ["cut_at_byte": .unsigned(cutAtByte), "cut_bytes": .unsigned(cutBytes), "line": .unsigned(line)]
        )
    }
}

/// A journal's file with its lock. The lock is given back by word: a child that another thread is just starting shares
/// the open file until it executes, and would keep the lock that long.
struct LockedFile: ~Copyable {
    let descriptor: Descriptor

    var raw: Int32 { descriptor.raw }

    deinit { _ = flock(descriptor.raw, LOCK_UN) }
}

/// Opening a journal's files: made if absent, checked from the first line on, an unfinished tail cut off.
enum JournalOpening {
    static let fileName = Array("journal.jsonl".utf8)

    /// Everything a writer starts from.
    struct Opened: ~Copyable {
        let file: LockedFile
        let mark: Descriptor
        let chain: Chain
        let recovery: JournalRecovery?
    }

    /// - Parameters:
    ///   - knownStart: what the caller knows to be whole of the locked file, by its mark; nil for nothing.
    ///   - onLine: called with each whole line behind that.
    static func open(
        _ subject: JournalSubject,
        in parent: borrowing Directory,
        time: any TimeSource,
        lockWaitSeconds: UInt64,
        knownStart: (borrowing Descriptor, DurableMark) throws(SystemError) -> Chain?,
        onLine: (JournalLine) -> Void
    ) throws(JournalError) -> Opened {
        let attempt = "open the journal of \(subject.name)"
        do {
            let directory = try makeDirectory(subject, in: parent)
            let flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK
            let file = LockedFile(descriptor: try directory.open(fileName, flags: flags, mode: 0o600))
            try lock(file, subject: subject, time: time, waitSeconds: lockWaitSeconds)
            let size = try checkedSize(file, subject: subject)
            let mark = try durableMark(in: directory, journalBytes: size, subject: subject)
            let start = try knownStart(file.descriptor, mark) ?? Chain(subject)
            let scan = try JournalScan(try file.descriptor.duplicate(), from: start, mark: mark, onLine: onLine)
            // Whoever made these files may have been killed before their names were durable.
            if size == 0 {
                try directory.synchronize()
                try parent.synchronize()
            }
            let recovery = try cut(file, size: size, scan: scan, subject: subject)
            let markFile = try directory.open(DurableMark.fileName, flags: O_WRONLY | O_NOFOLLOW)
            if recovery != nil || scan.chain.byteCount > mark.byteOffset {
                _ = try SystemError.check("fdatasync", fdatasync(file.raw))
                try DurableMark(scan.chain).write(to: markFile)
            }
            return Opened(file: file, mark: markFile, chain: scan.chain, recovery: recovery)
        } catch let error as SystemError {
            throw JournalError(attempt, error)
        } catch let error as JournalError {
            throw error
        } catch {
            throw JournalError(.system, "\(attempt): \(error)")
        }
    }

    private static func makeDirectory(
        _ subject: JournalSubject,
        in parent: borrowing Directory
    ) throws(SystemError) -> Directory {
        let name = Array(subject.directoryName.utf8)
        if try parent.statusIfPresent(name) == nil {
            do {
                try parent.makeDirectory(name, mode: 0o700)
            } catch  where error.code == EEXIST {}
        }
        return try parent.directory(name)
    }

    /// One writer at a time, in whatever process.
    private static func lock(
        _ file: borrowing LockedFile,
        subject: JournalSubject,
        time: any TimeSource,
        waitSeconds: UInt64
    ) throws {
        let deadline = time.monotonicNanoseconds() + waitSeconds * 1_000_000_000
        while flock(file.raw, LOCK_EX | LOCK_NB) != 0 {
            let code = errno
            guard code == EWOULDBLOCK || code == EINTR else { throw SystemError("flock", code: code) }
            guard time.monotonicNanoseconds() < deadline else {
                throw JournalError(
                    .locked,
                    "open the journal of \(subject.name): another process is writing it",
                    hint: "Wait until that process has finished, or end it."
                )
            }
            usleep(2000)
        }
    }

    private static func checkedSize(_ file: borrowing LockedFile, subject: JournalSubject) throws -> UInt64 {
        var raw = stat()
        _ = try SystemError.check("stat", fstat(file.raw, &raw))
        let status = FileStatus(raw)
        guard status.kind == .file, status.mode & 0o022 == 0, status.linkCount == 1 else {
            throw JournalError(
                .tampered,
                "open the journal of \(subject.name): it is no private file: others may write it, or it has two names",
                hint: "Find out who changed it; then make it private: chmod 600."
            )
        }
        guard status.size <= JournalLimits.journalBytesMax else {
            throw JournalError(
                .full,
                "open the journal of \(subject.name): it is longer than \(JournalLimits.journalBytesMax) bytes",
                hint: "Start a new run."
            )
        }
        return status.size
    }

    /// The mark of an existing journal, or a first one for a new journal. It is durable before the journal's first
    /// line, so a journal without one was tampered with.
    private static func durableMark(
        in directory: borrowing Directory,
        journalBytes: UInt64,
        subject: JournalSubject
    ) throws -> DurableMark {
        let bytes = try DurableMark.read(in: directory)
        if let mark = bytes.flatMap(DurableMark.init) { return mark }
        guard journalBytes == 0 else {
            throw tampered(subject, "its durable mark, the file head beside it, is missing or damaged")
        }
        let mark = DurableMark(Chain(subject))
        let file = try directory.open(
            DurableMark.fileName,
            flags: O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW,
            mode: 0o600
        )
        try mark.write(to: file)
        _ = try SystemError.check("fsync", fsync(file.raw))
        return mark
    }

    private static func cut(
        _ file: borrowing LockedFile,
        size: UInt64,
        scan: JournalScan,
        subject: JournalSubject
    ) throws -> JournalRecovery? {
        guard let fault = scan.fault else { return nil }
        guard scan.reachesMark else { throw tampered(subject, "line \(fault.line) \(fault.reason)") }
        let end = scan.chain.byteCount
        _ = try SystemError.check("truncate", ftruncate(file.raw, off_t(end)))
        return JournalRecovery(cutAtByte: end, cutBytes: size - end, line: fault.line, reason: fault.reason)
    }

    private static func tampered(_ subject: JournalSubject, _ reason: String) -> JournalError {
        JournalError(
            .tampered,
            "open the journal of \(subject.name): \(reason); it is closed for writing",
            hint: "Keep a copy of the directory and find out what changed it: Bailey does not repair this."
        )
    }
}
