import CLinux
import Glibc

/// Reading and writing whole small files and streams, with a limit on everything that is read.
package enum FileContent {
    /// Reads to the end; throws EFBIG beyond `bytesMax`.
    package static func read(_ file: borrowing Descriptor, bytesMax: Int) throws(SystemError) -> [UInt8] {
        var content: [UInt8] = []
        try forEachChunk(file) { (chunk: UnsafeRawBufferPointer) throws(SystemError) in
            guard content.count + chunk.count <= bytesMax else { throw SystemError("read", code: EFBIG) }
            content.append(contentsOf: chunk)
        }
        return content
    }

    /// Reads a file below `directory`, symbolic links refused.
    package static func read(
        _ path: [UInt8],
        in directory: borrowing Directory,
        bytesMax: Int
    ) throws(SystemError) -> [UInt8] {
        try read(directory.open(path, flags: O_RDONLY | O_NONBLOCK | O_NOCTTY), bytesMax: bytesMax)
    }

    /// As above, nil if there is no such file.
    package static func readIfPresent(
        _ path: [UInt8],
        in directory: borrowing Directory,
        bytesMax: Int
    ) throws(SystemError) -> [UInt8]? {
        do {
            return try read(path, in: directory, bytesMax: bytesMax)
        } catch  where error.code == ENOENT || error.code == ENOTDIR {
            return nil
        }
    }

    /// Calls `body` with each chunk of a file until its end.
    package static func forEachChunk(
        _ file: borrowing Descriptor,
        _ body: (UnsafeRawBufferPointer) throws(SystemError) -> Void
    ) throws(SystemError) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
        defer { buffer.deallocate() }
        while true {
            let count = Glibc.read(file.raw, buffer.baseAddress, buffer.count)
            if count < 0, errno == EINTR { continue }
            let bytes = try SystemError.check("read", count)
            if bytes == 0 { return }
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<bytes]))
        }
    }

    /// Writes all bytes.
    package static func write(_ bytes: [UInt8], to raw: Int32) throws(SystemError) {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes { buffer in
                Glibc.write(raw, buffer.baseAddress.map { $0 + offset }, buffer.count - offset)
            }
            if count < 0, errno == EINTR { continue }
            offset += try SystemError.check("write", count)
        }
    }

    /// Puts a file in place of another: written beside it with the given mode, made durable, then renamed.
    package static func replace(
        _ name: [UInt8],
        in directory: borrowing Directory,
        with bytes: [UInt8],
        mode: UInt32 = 0o600,
        durable: Bool = true
    ) throws(SystemError) {
        let temporary = Array(".new.".utf8) + name
        do {
            let file = try directory.open(temporary, flags: O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: mode)
            try write(bytes, to: file.raw)
            if durable { _ = try SystemError.check("fsync", fsync(file.raw)) }
        }
        try directory.rename(temporary, to: directory, name)
        if durable { try directory.synchronize() }
    }
}
