import Domain
import Files
import Journal
import Redaction

/// A journal of a few lines and all the marks that it had, to be damaged.
final class JournalBed {
    private static let run = RunID(unchecked: "r_fuzz")
    private static let journal = "bailey/runs/r_fuzz/journal/journal.jsonl"
    private static let markName = "bailey/runs/r_fuzz/journal/head"
    private static let linesMax = 5

    private let scratch: FuzzScratch
    let content: [UInt8]
    /// The durable mark after each line, and how many bytes it vouches for.
    private let marks: [(bytes: [UInt8], size: UInt64, end: Int)]

    init() throws {
        let scratch = try FuzzScratch("journal")
        try scratch.make("bailey/runs/r_fuzz")
        var marks: [(bytes: [UInt8], size: UInt64, end: Int)] = []
        let writer = try Self.open(scratch)
        marks.append((try scratch.read(Self.markName), 0, 0))
        for index in 0..<Self.linesMax {
            let text = Redactor().redact("line \(index) \"ü\" \n")
            let fields: KeyValuePairs<StaticString, RecordValue> = [
                "index": .integer(Int64(index)), "text": .text(text),
            ]
            let head = try writer.append(Record(.commandExited, fields), actor: .system)
            marks.append((try scratch.read(Self.markName), head.size, try scratch.read(Self.journal).count))
        }
        content = try scratch.read(Self.journal)
        self.marks = marks
        self.scratch = scratch
    }

    private static func open(_ scratch: FuzzScratch) throws -> JournalWriter {
        try JournalWriter(.run(run), in: scratch.directory("bailey/runs/r_fuzz"), time: StillTime())
    }

    func check(_ input: FuzzInput) throws {
        var input = input
        let mark = marks[Int(input.byte()) % marks.count]
        let bytes = damaged(&input)
        var markBytes = mark.bytes
        let isMarkDamaged = input.byte() == 0xEE
        if isMarkDamaged { markBytes = input.piece() }
        try scratch.write(bytes, Self.journal)
        try scratch.write(markBytes, Self.markName)
        let isWhole = bytes.starts(with: content[..<mark.end])
        _ = try verify()
        do {
            let writer = try Self.open(scratch)
            try promise(isWhole || isMarkDamaged, "a journal that was changed before its mark is opened")
            try checkOpened(writer, mark: mark, from: bytes, isMarkWhole: !isMarkDamaged)
        } catch let error as JournalError {
            try promise(!isWhole || isMarkDamaged, "a journal that is whole up to its mark is refused: \(error)")
            try promise(try scratch.read(Self.journal) == bytes, "a refused journal was changed")
        }
    }

    private func checkOpened(
        _ writer: JournalWriter,
        mark: (bytes: [UInt8], size: UInt64, end: Int),
        from bytes: [UInt8],
        isMarkWhole: Bool
    ) throws {
        let kept = try scratch.read(Self.journal)
        try promise(bytes.starts(with: kept), "an opened journal holds something new")
        if isMarkWhole {
            try promise(kept.count >= mark.end && writer.head.size >= mark.size, "something durable was cut")
        }
        try promise(kept.count == bytes.count || writer.recovery != nil, "a cut was not told")
        if !writer.isEnded { try writer.append(Record(.commandExited), actor: .system) }
        let size = writer.head.size
        let report = try verify()
        try promise(report.isGood && report.lines == size, "a recovered journal does not verify: \(report.findings)")
    }

    private func verify() throws -> VerificationReport {
        try ProjectVerifier.verify(bailey: scratch.directory("bailey"), project: nil, key: nil)
    }

    /// The journal with a few changes.
    private func damaged(_ input: inout FuzzInput) -> [UInt8] {
        var bytes = content
        for _ in 0..<Int(input.byte() % 4) {
            let place = input.number(below: bytes.count + 1)
            switch input.byte() % 6 {
            case 0: bytes.removeSubrange(place...)
            case 1 where place < bytes.count: bytes[place] ^= max(1, input.byte())
            case 2: bytes.insert(contentsOf: input.piece(), at: place)
            case 3: bytes.removeSubrange(place..<min(bytes.count, place + input.number(below: 400)))
            case 4: bytes.append(contentsOf: content[min(place, content.count)...])
            default: bytes.append(contentsOf: input.piece())
            }
        }
        return bytes
    }
}

/// Time that stands still.
struct StillTime: TimeSource {
    func unixMilliseconds() -> UInt64 { 1_800_000_000_000 }
    func monotonicNanoseconds() -> UInt64 { 0 }
}
