import CLinux
import Glibc

/// The caller's terminal in raw mode, given back as it was.
final class RawTerminal {
    private let descriptor: Int32
    private let saved: UnsafeMutableRawPointer
    private let isRaw: Bool

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        saved = .allocate(byteCount: bailey_terminal_modes_size(), alignment: 16)
        isRaw = bailey_terminal_raw(descriptor, saved) == 0
    }

    /// Makes it raw again, after somebody else had it.
    func resume() {
        guard isRaw else { return }
        let modes = UnsafeMutableRawPointer.allocate(byteCount: bailey_terminal_modes_size(), alignment: 16)
        defer { modes.deallocate() }
        _ = bailey_terminal_raw(descriptor, modes)
    }

    /// Writes what a terminal is told, as far as it takes it.
    func put(_ bytes: [UInt8], to output: Int32) {
        var rest = bytes[...]
        while !rest.isEmpty {
            var wait = pollfd(fd: output, events: Int16(POLLOUT), revents: 0)
            guard poll(&wait, 1, Self.silenceMilliseconds) > 0 else { return }
            let count = Array(rest).withUnsafeBytes { bailey_write_quietly(output, $0.baseAddress, $0.count) }
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }

    /// Throws away what the terminal still answers to the command's questions: read later, it would pass for typed, by
    /// our own question or by the caller's shell. Terminals answer in order, so a last question of ours marks the end.
    func awaitAnswers(writingTo output: Int32) {
        guard isRaw, bailey_write_quietly(output, Self.lastQuestion, Self.lastQuestion.count) > 0 else { return }
        var answers: [UInt8] = []
        var bytes = [UInt8](repeating: 0, count: 4096)
        while answers.count < Self.answerBytesMax {
            var wait = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard poll(&wait, 1, Self.silenceMilliseconds) > 0 else { return }
            let count = read(descriptor, &bytes, bytes.count)
            guard count > 0 else { return }
            answers += bytes[..<count]
            if answers.suffix(count + Self.lastAnswer.count).contains(Self.lastAnswer) { return }
        }
    }

    /// A character that ends a half-finished sequence, and a question for the terminal's status.
    private static let lastQuestion = Array("\u{18}\u{1B}[5n".utf8)
    private static let lastAnswer = Array("\u{1B}[0n".utf8)
    /// A terminal that has said nothing for this long has nothing to say.
    private static let silenceMilliseconds: Int32 = 500
    private static let answerBytesMax = 1 << 16

    deinit {
        if isRaw { _ = bailey_terminal_restore(descriptor, saved) }
        saved.deallocate()
    }
}
