import Domain
import Journal
import Redaction

extension FuzzTarget {
    /// One line of a journal.
    static let journalLine = FuzzTarget("journal-line") {
        let fixture = try JournalBed()
        return fixture.content.split(separator: 0x0A).map { Array($0) }
    } prepare: {
        { bytes in
            guard let line = try? JournalLine(bytes) else { return }
            try promise(line.bytes == bytes, "a line is not its bytes")
            try promise(line.sequence > 0 && line.sequence <= UInt64(Int64.max), "a line has no number")
            try promise(line.actor.utf8.count <= JournalLimits.actorBytesMax, "an actor is too long")
            guard case .object = line.data else { throw FuzzFinding("a line's data is no object") }
        }
    }

    /// The signed note over the authority's journal, without its key.
    static let checkpoint = FuzzTarget("checkpoint", bytesMax: 1 << 15) {
        let root = Base64.encode([UInt8](repeating: 7, count: 32))
        let signature = Base64.encode([UInt8](repeating: 9, count: 68))
        return [Array("bailey/p_test\n12\n\(root)\n\n\u{2014} bailey/p_test \(signature)\n".utf8)]
    } prepare: {
        { bytes in
            guard let checkpoint = try? Checkpoint(bytes, key: nil) else { return }
            let body = "\(checkpoint.origin)\n\(checkpoint.size)\n\(Base64.encode(checkpoint.root.bytes))\n\n"
            try promise(bytes.starts(with: body.utf8), "a checkpoint has two spellings")
        }
    }

    /// A journal that was cut, overwritten or added to, and its durable mark: nothing that was durable is ever cut, and
    /// nothing that was changed passes for what was written.
    static let journalRecovery = FuzzTarget("journal-recovery", bytesMax: 1 << 12) {
        [
            [], [1, 5], [2, 0, 1, 0], [3, 4, 0, 8, 1], [0, 2, 3, 0xFF, 0x7B, 0x22],
            [4, 1, 0, 0, 0, 2, 0, 1, 4, 65, 66, 10, 67],
        ]
    } prepare: {
        let bed = try JournalBed()
        return { try bed.check(FuzzInput($0)) }
    }
}
