import CLinux

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

    deinit {
        if isRaw { _ = bailey_terminal_restore(descriptor, saved) }
        saved.deallocate()
    }
}
