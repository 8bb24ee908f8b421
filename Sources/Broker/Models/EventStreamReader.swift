/// Splits a stream of server-sent events into their data, as it comes, split anywhere.
///
/// Source: the HTML standard, section 9.2.6. Lines end with CR, LF or both, `data` fields of one event are joined by
/// line feeds, comments and other fields say nothing here.
struct EventStreamReader: Sendable {
    private enum Place: Sendable {
        /// At the beginning of a line, of which so many bytes are those of `data`.
        case start(Int)
        /// Behind the colon.
        case colon
        case data
        /// In a line that says nothing here.
        case other
    }

    private static let name = Array("data".utf8)
    private static let mark: [UInt8] = [0xEF, 0xBB, 0xBF]

    private var place = Place.start(0)
    private var lineIsEmpty = true
    private var lastWasReturn = false
    private var hasData = false
    /// Bytes of a byte order mark that were seen at the very beginning; nil behind it.
    private var markBytes: Int? = 0

    /// Calls with pieces of data and at the end of each event that has any.
    ///
    /// - Parameters:
    ///   - onEnd: gets the place behind the event.
    mutating func take(
        _ bytes: UnsafeRawBufferPointer,
        onData: (UnsafeRawBufferPointer) -> Void,
        onEnd: (Int) -> Void
    ) {
        var index = 0
        while index < bytes.count {
            let byte = bytes[index]
            if skipsMark(byte) {
                index += 1
                continue
            }
            if byte == 0x0A, lastWasReturn {
                lastWasReturn = false
                index += 1
                continue
            }
            lastWasReturn = byte == 0x0D
            if byte == 0x0A || byte == 0x0D {
                endLine(index + 1, onData, onEnd)
                index += 1
                continue
            }
            lineIsEmpty = false
            index = step(bytes, index, onData)
        }
    }

    /// Takes a part of a line, of one byte at least. Returns the place behind it.
    private mutating func step(
        _ bytes: UnsafeRawBufferPointer,
        _ index: Int,
        _ onData: (UnsafeRawBufferPointer) -> Void
    ) -> Int {
        let byte = bytes[index]
        switch place {
        case .start(let count):
            if count < Self.name.count, byte == Self.name[count] {
                place = .start(count + 1)
            } else if count == Self.name.count, byte == UInt8(ascii: ":") {
                place = .colon
                beginData(onData)
            } else {
                place = .other
            }
            return index + 1
        case .colon:
            place = .data
            return byte == 0x20 ? index + 1 : index
        case .data:
            let end = Self.lineEnd(bytes, index)
            onData(UnsafeRawBufferPointer(rebasing: bytes[index..<end]))
            return end
        case .other: return Self.lineEnd(bytes, index)
        }
    }

    private mutating func beginData(_ onData: (UnsafeRawBufferPointer) -> Void) {
        if hasData { withUnsafeBytes(of: UInt8(0x0A)) { onData($0) } }
        hasData = true
    }

    private mutating func endLine(
        _ behind: Int,
        _ onData: (UnsafeRawBufferPointer) -> Void,
        _ onEnd: (Int) -> Void
    ) {
        // A line that is the name alone has empty data.
        if case .start(Self.name.count) = place { beginData(onData) }
        if lineIsEmpty {
            onEnd(behind)
            hasData = false
        }
        place = .start(0)
        lineIsEmpty = true
    }

    private mutating func skipsMark(_ byte: UInt8) -> Bool {
        guard let count = markBytes else { return false }
        guard byte == Self.mark[count] else {
            markBytes = nil
            return false
        }
        markBytes = count + 1 == Self.mark.count ? nil : count + 1
        return true
    }

    private static func lineEnd(_ bytes: UnsafeRawBufferPointer, _ from: Int) -> Int {
        var index = from
        while index < bytes.count, bytes[index] != 0x0A, bytes[index] != 0x0D { index += 1 }
        return index
    }
}
