package import NIOCore

/// Takes one frame out of a stream of Chat Completions: the last one, which says what was used and nothing else, where
/// it was asked for in addition. Everything else passes as it came.
///
/// An event passes when it is whole. That delays nothing: no client can make anything of a part of one. A longer one
/// than that frame can be passes as it comes.
package struct UsageFrameFilter: Sendable {
    package static let frameBytesMax = 64 << 10

    private var events = EventStreamReader()
    private var json = JSONPathReader()
    /// What of the event was not passed on yet.
    private var held = ByteBuffer()
    /// The event is too long to be that frame, and its beginning has passed.
    private var passes = false
    private var wasDropped = false
    /// The last event ended with a carriage return, so that a line feed behind it belongs to it.
    private var endedWithReturn = false

    package init() {}

    /// - Returns: what the client gets of it.
    package mutating func take(_ bytes: ByteBuffer) -> ByteBuffer {
        var passed = ByteBuffer()
        var from = bytes.readerIndex
        for end in ends(bytes) {
            takeLineFeed(bytes, &from, &passed)
            let behind = bytes.readerIndex + end.place
            if let piece = bytes.getSlice(at: from, length: behind - from) { held.writeImmutableBuffer(piece) }
            from = behind
            wasDropped = end.isUsage && !passes
            endedWithReturn = held.readableBytesView.last == 0x0D
            if !wasDropped { passed.writeImmutableBuffer(held) }
            held.clear()
            passes = false
        }
        takeLineFeed(bytes, &from, &passed)
        if let rest = bytes.getSlice(at: from, length: bytes.writerIndex - from) { held.writeImmutableBuffer(rest) }
        if passes || held.readableBytes > Self.frameBytesMax {
            passes = true
            passed.writeImmutableBuffer(held)
            held.clear()
        }
        return passed
    }

    /// What is left at the end of the answer: an event that never ended.
    package mutating func end() -> ByteBuffer? {
        defer { held.clear() }
        return held.readableBytes > 0 ? held : nil
    }

    /// Where a line ends with two bytes, the second one behind an event belongs to it.
    private mutating func takeLineFeed(_ bytes: ByteBuffer, _ from: inout Int, _ passed: inout ByteBuffer) {
        guard endedWithReturn, from < bytes.writerIndex else { return }
        endedWithReturn = false
        guard bytes.getInteger(at: from, as: UInt8.self) == 0x0A else { return }
        from += 1
        if !wasDropped { passed.writeInteger(UInt8(0x0A)) }
    }

    private struct End {
        /// Behind the event.
        let place: Int
        let isUsage: Bool
    }

    private mutating func ends(_ bytes: ByteBuffer) -> [End] {
        var ends: [End] = []
        var (events, json) = (events, json)
        bytes.withUnsafeReadableBytes { bytes in
            events.take(bytes) {
                json.take($0)
            } onEnd: { place in
                ends.append(End(place: place, isUsage: json.isUsageAlone))
                json = JSONPathReader()
            }
        }
        (self.events, self.json) = (events, json)
        return ends
    }
}

extension JSONPathReader {
    /// A frame of Chat Completions with usage and no choice.
    fileprivate var isUsageAlone: Bool {
        isWhole && emptyLists.contains("choices") && findings.contains { $0.path.hasPrefix("usage.") }
    }
}
