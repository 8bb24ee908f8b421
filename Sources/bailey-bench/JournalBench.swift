import Domain
import Files
import Glibc
import Journal
import Redaction

/// `journal DIRECTORY LINES BATCH`: appends to a new journal in an empty directory, one durable append a batch.
enum JournalBench {
    static func measure(_ words: [String]) throws -> JSONValue {
        guard words.count == 4, let lines = Int(words[2]), let batch = Int(words[3]), batch > 0, lines > 0 else {
            throw BenchRequestError("journal takes a directory, a number of lines and a batch size")
        }
        let time = BenchTime()
        let run = RunID.make(milliseconds: time.unixMilliseconds(), random: .random(in: .min ... .max))
        let journal = try JournalWriter(.run(run), in: Directory(trustedPath: words[1]), time: time)
        let grant = GrantID.make(milliseconds: time.unixMilliseconds(), random: 7)
        // What the caller has to say is made before the clock runs: the append is measured, its encoding included.
        let batches = stride(from: 0, to: lines, by: batch).map { start in
            (start..<min(start + batch, lines)).map { record($0, grant) }
        }
        let (_, milliseconds) = try time.measure {
            for records in batches { try journal.append(records, actor: .human(userID: geteuid())) }
        }
        return .object([
            ("milliseconds", milliseconds), ("lines", .unsigned(journal.head.size)),
            ("bytes", .unsigned(bytes(words[1]))),
        ])
    }

    /// About what a run's own events are like: 400 bytes a line with the envelope.
    private static func record(_ number: Int, _ grant: GrantID) -> Record {
        Record(
            .commandExited,
            [
                "grant": .id(grant), "exit_code": .integer(0), "signal": .null, "was_killed": .flag(false),
                "layers": .list([.constant("user"), .constant("mount"), .constant("seccomp")]),
                "wall_milliseconds": .unsigned(UInt64(number)), "stdout_bytes": .unsigned(4096),
                "stderr_bytes": .unsigned(0),
            ]
        )
    }

    private static func bytes(_ directory: String) -> UInt64 {
        let file = open(directory + "/journal/journal.jsonl", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return 0 }
        defer { close(file) }
        return UInt64(max(0, lseek(file, 0, SEEK_END)))
    }
}
