import Domain
import Glibc

/// Everything that Bailey itself prints. Results go to standard output, everything else to standard error; nothing that
/// came from outside reaches a terminal unescaped. There is no colour.
struct Console: Sendable {
    let isInteractive: Bool

    init() { isInteractive = isatty(0) == 1 && isatty(2) == 1 }

    /// A result: one line on standard output.
    func result(_ line: String) { put(line + "\n", 1) }

    func resultBytes(_ bytes: [UInt8]) { bytes.withUnsafeBytes { write($0, 1) } }

    /// A remark: one line on standard error, marked as ours.
    func remark(_ line: String) { put("bailey: " + line + "\n", 2) }

    /// An error with its hint.
    func error(_ error: any Error) {
        if let facing = error as? any UserFacingError {
            put("bailey: error: " + facing.message + "\n", 2)
            if let hint = facing.hint { put("bailey: hint: " + hint + "\n", 2) }
        } else {
            put("bailey: error: \(error)\n", 2)
        }
    }

    private func put(_ text: String, _ descriptor: Int32) {
        var text = text
        text.withUTF8 { write(UnsafeRawBufferPointer($0), descriptor) }
    }

    private func write(_ bytes: UnsafeRawBufferPointer, _ descriptor: Int32) {
        var rest = bytes
        while !rest.isEmpty {
            let count = Glibc.write(descriptor, rest.baseAddress, rest.count)
            if count < 0, errno == EINTR { continue }
            // A reader that went away has what it wanted.
            guard count > 0 else { return }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }
}
