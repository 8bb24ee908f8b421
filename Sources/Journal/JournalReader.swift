import Domain
package import Files
import Glibc

/// Reads a journal's lines one by one, for those who show them. It parses each line and does not judge the chain: see
/// ``JournalVerifier``.
package struct JournalReader: ~Copyable {
    private var reader: LineReader
    private let subject: JournalSubject
    private var number: UInt64 = 0

    /// Opens the journal of a run in the run's directory, or the authority's in `.bailey`.
    package init(_ subject: JournalSubject, in parent: borrowing Directory) throws(JournalError) {
        self.subject = subject
        do {
            reader = LineReader(try JournalFiles.openJournal(subject, in: parent))
        } catch {
            throw JournalError("read the journal of \(subject.name)", error)
        }
    }

    /// The next line, nil at the end. A line that is none throws ``JournalError/Code-swift.enum/tampered``.
    package mutating func next() throws(JournalError) -> JournalLine? {
        number += 1
        do {
            switch try reader.next() {
            case nil: return nil
            case .complete(let bytes): return try JournalLine(bytes)
            case .unterminated: throw LineFault("is not finished: it has no newline")
            case .tooLong: throw LineFault("is longer than \(JournalLimits.lineBytesMax) bytes")
            }
        } catch let error as SystemError {
            throw JournalError("read the journal of \(subject.name)", error)
        } catch {
            throw JournalError(
                .tampered,
                "read the journal of \(subject.name): line \(number) \(error)",
                hint: "Run bailey journal verify."
            )
        }
    }

    /// All lines of a journal.
    package static func lines(_ subject: JournalSubject, in parent: borrowing Directory) throws(JournalError)
        -> [JournalLine]
    {
        var reader = try JournalReader(subject, in: parent)
        var lines: [JournalLine] = []
        while let line = try reader.next() { lines.append(line) }
        return lines
    }

    /// The lines up to the first that is none, or that does not follow the one before it, and what is wrong with that
    /// one. For who shows what is left of a damaged journal; that all of a journal is there, the verifier tells.
    package static func readableLines(
        _ subject: JournalSubject,
        in parent: borrowing Directory
    ) throws(JournalError) -> (lines: [JournalLine], damage: JournalError?) {
        var reader = try JournalReader(subject, in: parent)
        var lines: [JournalLine] = []
        do throws(JournalError) {
            while let line = try reader.next() {
                guard line.previous == lines.last?.leaf ?? subject.genesis, line.sequence == UInt64(lines.count) + 1
                else {
                    let place = "line \(lines.count + 1)"
                    throw JournalError(
                        .tampered,
                        "read the journal of \(subject.name): \(place) does not follow the one before it",
                        hint: "Run bailey journal verify."
                    )
                }
                lines.append(line)
            }
        } catch {
            return (lines, error)
        }
        return (lines, nil)
    }
}

/// Opening a journal's files to look at them.
enum JournalFiles {
    static func openJournal(_ subject: JournalSubject, in parent: borrowing Directory) throws(SystemError) -> Descriptor
    {
        let directory = try parent.directory(Array(subject.directoryName.utf8))
        let file = try directory.open(JournalOpening.fileName, flags: O_RDONLY | O_NONBLOCK | O_NOCTTY)
        var status = stat()
        _ = try SystemError.check("stat", fstat(file.raw, &status))
        guard FileStatus(status).kind == .file else { throw SystemError("open", code: EINVAL, path: "journal.jsonl") }
        return file
    }

    static func readMark(_ subject: JournalSubject, in parent: borrowing Directory) throws(SystemError) -> [UInt8]? {
        try DurableMark.read(in: try parent.directory(Array(subject.directoryName.utf8)))
    }
}
