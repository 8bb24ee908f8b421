import Domain
import Files
import Glibc

/// Reads a file line by line in bounded memory, whoever wrote it.
struct LineReader: ~Copyable {
    enum Line: Sendable {
        /// Without the newline.
        case complete([UInt8])
        /// The file ends without a newline.
        case unterminated
        case tooLong
    }

    private let file: Descriptor
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)
    private var position = 0
    private var filled = 0
    private var fileOffset: off_t
    private var isFinished = false

    /// - Parameter start: the byte where the first line begins.
    init(_ file: consuming Descriptor, from start: UInt64 = 0) {
        self.file = file
        fileOffset = off_t(start)
    }

    /// The next line, nil at the end. After `unterminated` and `tooLong` there is no next line.
    mutating func next() throws(SystemError) -> Line? {
        var line: [UInt8] = []
        while !isFinished {
            if position == filled, try !fill() {
                isFinished = true
                return line.isEmpty ? nil : .unterminated
            }
            let end = newline()
            line.append(contentsOf: buffer[position..<(end ?? filled)])
            position = end.map { $0 + 1 } ?? filled
            if line.count > JournalLimits.lineBytesMax {
                isFinished = true
                return .tooLong
            }
            if end != nil { return .complete(line) }
        }
        return nil
    }

    private func newline() -> Int? {
        buffer.withUnsafeBytes { bytes in
            guard let base = bytes.baseAddress, let found = memchr(base + position, 0x0A, filled - position) else {
                return nil
            }
            return UnsafeRawPointer(found) - base
        }
    }

    /// False at the end of the file.
    private mutating func fill() throws(SystemError) -> Bool {
        while true {
            let count = buffer.withUnsafeMutableBytes { pread(file.raw, $0.baseAddress, $0.count, fileOffset) }
            if count < 0, errno == EINTR { continue }
            filled = try SystemError.check("read", count)
            position = 0
            fileOffset += off_t(filled)
            return filled > 0
        }
    }
}
