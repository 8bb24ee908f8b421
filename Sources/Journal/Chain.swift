package import Domain

/// How long a journal is and what its last line hashes to: with the subject, all that pins its content.
package struct JournalHead: Sendable, Hashable {
    /// Lines.
    package let size: UInt64
    /// The leaf hash of the last line; the genesis value of an empty journal.
    package let leaf: Digest

    package init(size: UInt64, leaf: Digest) {
        self.size = size
        self.leaf = leaf
    }
}

/// Follows a journal line by line and says of each whether it may stand there.
struct Chain: Sendable {
    let subject: JournalSubject
    private(set) var head: JournalHead
    /// Bytes of all lines so far, newlines included.
    private(set) var byteCount: UInt64 = 0
    private(set) var isEnded = false

    init(_ subject: JournalSubject) {
        self.subject = subject
        head = JournalHead(size: 0, leaf: subject.genesis)
    }

    /// Takes a line without its newline, or says what is wrong with it and stays where it was.
    mutating func accept(_ bytes: [UInt8]) throws(LineFault) -> JournalLine {
        if isEnded { throw LineFault("follows the event that ended the run") }
        let line = try JournalLine(bytes)
        guard line.sequence == head.size + 1 else {
            throw LineFault("has the number \(line.sequence) where \(head.size + 1) should be")
        }
        guard line.run == subject.name else { throw LineFault("belongs to \(line.run), not to \(subject.name)") }
        guard line.previous == head.leaf else { throw LineFault("does not match the hash of the line before it") }
        advance(leaf: line.leaf, byteCount: bytes.count + 1, type: RecordType(rawValue: line.type))
        return line
    }

    /// Goes on by a line that the caller just wrote. The type is nil for one that a later version added.
    mutating func advance(leaf: Digest, byteCount lineBytes: Int, type: RecordType?) {
        head = JournalHead(size: head.size + 1, leaf: leaf)
        byteCount += UInt64(lineBytes)
        isEnded = type.map(subject.isEnded) ?? false
    }
}
