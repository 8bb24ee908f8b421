package import NIOCore

/// Looks for texts in what comes in pieces. Of each piece everything goes on but an end that could be the beginning of
/// a text.
package struct NeedleScanner {
    private let needles: NeedleSet
    private var held = ByteBuffer()

    package init(_ needles: NeedleSet) { self.needles = needles }

    /// - Returns: what goes on; nil where a text is found, of which nothing has gone on and from where nothing does.
    package mutating func take(_ bytes: ByteBuffer) -> ByteBuffer? {
        var all = bytes
        if held.readableBytes > 0 {
            held.writeImmutableBuffer(bytes)
            all = held
            held = ByteBuffer()
        }
        switch all.withUnsafeReadableBytes({ needles.find(in: $0, isEnd: false) }) {
        case .text: return nil
        case .nothing: return all
        case .perhaps(let start):
            let going = all.readSlice(length: start) ?? ByteBuffer()
            // What waits is short, and would keep all the rest with it.
            held = ByteBuffer(bytes: all.readableBytesView)
            return going
        }
    }

    /// Nothing more comes.
    ///
    /// - Returns: what waited; nil where a text is found.
    package mutating func end() -> ByteBuffer? {
        let all = held
        held = ByteBuffer()
        let finding = all.withUnsafeReadableBytes { needles.find(in: $0, isEnd: true) }
        return finding == .nothing ? all : nil
    }
}
