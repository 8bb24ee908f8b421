import Egress
import NIOCore

/// Takes placeholders out of what is sent to a model. An agent that printed its environment has them in its
/// conversation from then on, and every request would be refused; so they are masked there and the request goes on.
struct PlaceholderMask {
    static let mask = Array("********".utf8)
    private static let mark = Placeholder.mark

    /// The run's own.
    private let own: [[UInt8]]

    /// Nil for a run that has none.
    init?(_ placeholders: [Placeholder]) {
        guard !placeholders.isEmpty else { return nil }
        own = placeholders.map { Array($0.text.utf8) }.filter { !$0.isEmpty }
    }

    /// The body without placeholders; nil where it has none. What is put in needs no escape in JSON, and what is taken
    /// out holds none.
    func masked(_ body: ByteBuffer) -> ByteBuffer? {
        let places = body.withUnsafeReadableBytes { found(in: $0) }
        guard !places.isEmpty else { return nil }
        var masked = ByteBufferAllocator().buffer(capacity: body.readableBytes)
        var from = 0
        for place in places {
            append(body, from..<place.lowerBound, to: &masked)
            masked.writeBytes(Self.mask)
            from = place.upperBound
        }
        append(body, from..<body.readableBytes, to: &masked)
        return masked
    }

    private func append(_ body: ByteBuffer, _ range: Range<Int>, to other: inout ByteBuffer) {
        guard let part = body.getSlice(at: body.readerIndex + range.lowerBound, length: range.count) else { return }
        other.writeImmutableBuffer(part)
    }

    /// Where own placeholders lie whole, and cores of others; in order, none within another.
    private func found(in bytes: UnsafeRawBufferPointer) -> [Range<Int>] {
        var places: [Range<Int>] = []
        var from = 0
        while let mark = bytes.firstRange(of: Self.mark, from: from) {
            from = mark.upperBound
            guard let place = placeholder(around: mark.lowerBound, in: bytes) else { continue }
            if let last = places.last, last.upperBound > place.lowerBound { continue }
            places.append(place)
            from = place.upperBound
        }
        return places
    }

    /// The placeholder whose core begins at a place.
    private func placeholder(around core: Int, in bytes: UnsafeRawBufferPointer) -> Range<Int>? {
        guard core + Placeholder.coreCount <= bytes.count,
            Placeholder.isCore(Array(bytes[core..<core + Placeholder.coreCount])[...])
        else { return nil }
        for text in own {
            let start = core + Placeholder.coreCount - text.count
            guard start >= 0, bytes[start..<start + text.count].elementsEqual(text) else { continue }
            return start..<start + text.count
        }
        return core..<core + Placeholder.coreCount
    }
}
