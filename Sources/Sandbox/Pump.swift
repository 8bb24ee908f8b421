import CLinux
import Glibc

/// Moves bytes from one descriptor to another, a bounded buffer at a time, and counts them.
///
/// A pure state of what is in the buffer and what has ended; the supervisor's poll loop asks it what to wait for.
final class Pump {
    /// What a pipe holds.
    private static let bufferBytes = 65536
    /// poll(2) promises room for this much in a pipe, so that a write of it does not block.
    private static let writeBytesMax = 4096

    private static let questionBytes: [Int32] = [0x1B, 0x9B, 0x05]

    let source: Int32
    let destination: Int32
    private let ownsSource: Bool
    private let ownsDestination: Bool
    private let buffer: UnsafeMutableRawBufferPointer
    private var start = 0
    private var end = 0
    private(set) var moved: UInt64 = 0
    private(set) var sourceEnded = false
    private(set) var destinationClosed = false
    /// Some byte passed that may begin a question to a terminal: an escape, its one-byte form, or an enquiry.
    private(set) var mayHaveAsked = false
    private let watchesQuestions: Bool

    init(
        from source: Int32,
        ownsSource: Bool,
        to destination: Int32,
        ownsDestination: Bool,
        watchesQuestions: Bool = false
    ) {
        self.watchesQuestions = watchesQuestions
        self.source = source
        self.destination = destination
        self.ownsSource = ownsSource
        self.ownsDestination = ownsDestination
        buffer = .allocate(byteCount: Self.bufferBytes, alignment: 16)
    }

    deinit {
        if ownsSource, !sourceEnded { close(source) }
        if ownsDestination, !destinationClosed { close(destination) }
        buffer.deallocate()
    }

    var isFinished: Bool { destinationClosed || (sourceEnded && start == end) }
    /// The descriptor to wait for input on, or -1.
    var wantsToRead: Int32 { sourceEnded || destinationClosed || start < end ? -1 : source }
    /// The descriptor to wait for room on, or -1.
    var wantsToWrite: Int32 { destinationClosed || start == end ? -1 : destination }

    /// Reads once. A terminal whose other side is gone says EIO: that is an end.
    func fill() {
        let count = read(source, buffer.baseAddress, buffer.count)
        if count > 0 {
            start = 0
            end = count
            if watchesQuestions, !mayHaveAsked, let first = buffer.baseAddress {
                mayHaveAsked = Self.questionBytes.contains { memchr(first, $0, count) != nil }
            }
        } else if count == 0 || (errno != EINTR && errno != EAGAIN) {
            endSource()
        }
    }

    /// Writes once. A destination that nobody reads any more is closed, and the writer behind it learns by SIGPIPE.
    func drain() {
        let count = min(end - start, Self.writeBytesMax)
        let written = bailey_write_quietly(destination, buffer.baseAddress.map { $0 + start }, count)
        if written > 0 {
            start += written
            moved += UInt64(written)
            if sourceEnded, start == end { finish() }
        } else if written < 0, errno != EINTR, errno != EAGAIN {
            abandon()
        }
    }

    /// Nobody will read the rest.
    func abandon() {
        start = end
        endSource()
        finish()
    }

    private func endSource() {
        if ownsSource, !sourceEnded { close(source) }
        sourceEnded = true
        if start == end { finish() }
    }

    private func finish() {
        guard !destinationClosed else { return }
        if ownsDestination { close(destination) }
        destinationClosed = true
    }
}
