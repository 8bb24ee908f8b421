import CLinux
import Glibc

/// A question to the person at the terminal, safe against what a command may have prepared there: it leaves the
/// alternate screen, resets attributes, throws away what was typed ahead, and takes whole words.
struct Prompt {
    private static let linesMax = 20
    private static let lineBytesMax = 256
    /// Leaves the alternate screen, stops mouse and paste reports, resets modes, character set, attributes and the
    /// scroll region, and shows the cursor. The cursor's place is kept around what would move it, and all below it is
    /// erased, so that the question stands under the command's output and not over it.
    private static let reset =
        "\u{1B}7\u{1B}[?1049l\u{1B}[?1000l\u{1B}[?1002l\u{1B}[?1003l\u{1B}[?1006l\u{1B}[?1004l\u{1B}[?2004l\u{1B}[<u"
        + "\u{1B}7\u{1B}[!p\u{1B}[r\u{1B}8\u{1B}[?6l\u{1B}[4l\u{1B}[?7h\u{1B}(B\u{1B})B\u{1B}[m\u{1B}[?25h\r\n\u{1B}[J"
    private let terminal: Int32

    /// Nil where there is no terminal.
    init?() {
        terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY)
        guard terminal >= 0 else { return nil }
        show(Self.reset, raw: true)
    }

    func show(_ line: String) { show(line + "\n", raw: true) }

    private func show(_ text: String, raw: Bool) { _ = write(terminal, text, text.utf8.count) }

    /// Asks until one of the words comes; the end of input is nil.
    func ask(_ question: String, words: [String]) -> String? {
        tcflush(terminal, TCIFLUSH)
        for _ in 0..<Self.linesMax {
            show("bailey: \(question) ", raw: true)
            guard let answer = line() else { return nil }
            if words.contains(answer) { return answer }
            show("bailey: please type one of: " + words.joined(separator: ", "))
        }
        return nil
    }

    private func line() -> String? {
        var bytes = [UInt8](repeating: 0, count: Self.lineBytesMax)
        let count = read(terminal, &bytes, bytes.count)
        guard count > 0 else { return nil }
        // A terminal's own answers and blanks make a line that is no word, and are not read out of it.
        return String(decoding: bytes[..<count], as: UTF8.self).trimmingNewline
    }
}
