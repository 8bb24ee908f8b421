import Domain
import Files

/// One pass over a journal's file: how far it is whole, what breaks it, and whether it reaches its durable mark.
struct JournalScan: Sendable {
    struct Fault: Sendable, Equatable {
        /// Counted from 1.
        let line: UInt64
        let reason: String
        /// The file ends within a line, as an interrupted write leaves it.
        let isTorn: Bool
    }

    /// The whole lines from the start.
    private(set) var chain: Chain
    private(set) var fault: Fault?
    /// The whole lines hold everything that was known to be durable. True without a mark.
    private(set) var reachesMark: Bool

    /// - Parameter start: where to begin; the lines before it are known to be whole, and a mark among them to fit.
    init(
        _ file: consuming Descriptor,
        from start: Chain,
        mark: DurableMark?,
        onLine: (JournalLine) -> Void = { _ in }
    ) throws(SystemError) {
        chain = start
        reachesMark = mark.map { $0.size < start.head.size || $0 == DurableMark(start) } ?? true
        var reader = LineReader(file, from: start.byteCount)
        while fault == nil, let line = try reader.next() {
            let number = chain.head.size + 1
            switch line {
            case .complete(let bytes):
                do {
                    let line = try chain.accept(bytes)
                    checkMark(mark)
                    if fault == nil { onLine(line) }
                } catch {
                    fault = Fault(line: number, reason: error.reason, isTorn: false)
                }
            case .unterminated:
                fault = Fault(line: number, reason: "is not finished: it has no newline", isTorn: true)
            case .tooLong:
                let reason = "is longer than \(JournalLimits.lineBytesMax) bytes"
                fault = Fault(line: number, reason: reason, isTorn: false)
            }
        }
        if fault == nil, !reachesMark {
            let line = mark.map { max($0.size, 1) } ?? 1
            fault = Fault(line: line, reason: "is missing: the journal was longer once", isTorn: false)
        }
    }

    private mutating func checkMark(_ mark: DurableMark?) {
        guard let mark, mark.size == chain.head.size else { return }
        reachesMark = mark == DurableMark(chain)
        if !reachesMark {
            let reason = "is not the line that was known to be durable"
            fault = Fault(line: mark.size, reason: reason, isTorn: false)
        }
    }
}
