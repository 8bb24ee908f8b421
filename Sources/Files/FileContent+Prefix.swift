import Glibc

extension FileContent {
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
