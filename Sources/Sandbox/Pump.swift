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
    /// What the bytes that passed have changed of a terminal; nil where there is none at the end.
    private(set) var modes: TerminalModes?
    private(set) var moved: UInt64 = 0
    private(set) var sourceEnded = false
    private(set) var destinationClosed = false
    /// The source was a terminal, and it was taken away.
    private(set) var sourceHungUp = false
    /// Some byte passed that may begin a question to a terminal: an escape, its one-byte form, or an enquiry.
    private(set) var mayHaveAsked = false

    init(
        from source: Int32,
        ownsSource: Bool,
        to destination: Int32,
        ownsDestination: Bool,
        watchesTerminal: Bool = false
    ) {
        modes = watchesTerminal ? TerminalModes() : nil
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
        let first = modes == nil ? 0 : TerminalModes.saveTitle.count
        let count = read(source, buffer.baseAddress.map { $0 + first }, buffer.count - first)
        if count > 0 {
            start = first
            end = first + count
            if modes != nil { look(UnsafeRawBufferPointer(rebasing: buffer[start..<end])) }
        } else if count == 0 || (errno != EINTR && errno != EAGAIN) {
            var wait = pollfd(fd: source, events: 0, revents: 0)
            sourceHungUp = poll(&wait, 1, 0) == 1 && wait.revents & Int16(POLLHUP) != 0
            endSource()
        }
    }

    /// Takes down what the bytes do to a terminal. Before the first title its own is saved, in the room before them.
    private func look(_ bytes: UnsafeRawBufferPointer) {
        if !mayHaveAsked, let first = bytes.baseAddress {
            mayHaveAsked = Self.questionBytes.contains { memchr(first, $0, bytes.count) != nil }
        }
        let mayInsert = modes?.isBetweenSequences ?? false
        modes?.take(bytes)
        guard mayInsert, modes?.hasTitle ?? false, !(modes?.isTitleSaved ?? true) else { return }
        modes?.isTitleSaved = true
        start = 0
        buffer.copyBytes(from: TerminalModes.saveTitle)
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
