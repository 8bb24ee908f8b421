import Glibc

extension FileContent {
    /// Writes a file of mode 0600 in place, neither atomic nor durable: for what is sealed by a digest and made anew
    /// if torn.
    package static func create(
        _ name: [UInt8],
        in directory: borrowing Directory,
        with bytes: [UInt8]
    ) throws(SystemError) {
        let file = try directory.open(name, flags: O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o600)
        try write(bytes, to: file.raw)
    }

    /// Reads from an open file's current position until the buffer is full or the file ends; returns how much it was.
    package static func fill(_ buffer: UnsafeMutableRawBufferPointer, from raw: Int32) throws(SystemError) -> Int {
        var filled = 0
        while filled < buffer.count {
            let count = Glibc.read(raw, buffer.baseAddress.map { $0 + filled }, buffer.count - filled)
            if count < 0, errno == EINTR { continue }
            let bytes = try SystemError.check("read", count)
            if bytes == 0 { break }
            filled += bytes
        }
        return filled
    }

    /// Reads at most `bytesMax` bytes from an open file's current position.
    package static func readPrefix(_ raw: Int32, bytesMax: Int) throws(SystemError) -> [UInt8] {
        var content = [UInt8](repeating: 0, count: bytesMax)
        var filled = 0
        while filled < bytesMax {
            let start = filled
            let count = content.withUnsafeMutableBytes { buffer in
                Glibc.read(raw, buffer.baseAddress.map { $0 + start }, bytesMax - start)
            }
            if count < 0, errno == EINTR { continue }
            let bytes = try SystemError.check("read", count)
            if bytes == 0 { break }
            filled += bytes
        }
        content.removeLast(bytesMax - filled)
        return content
    }
}

extension Descriptor {
    package func readPrefix(bytesMax: Int) throws(SystemError) -> [UInt8] {
        try FileContent.readPrefix(raw, bytesMax: bytesMax)
    }
}
