import CLinux
import Glibc
import Synchronization

/// Reading and writing whole small files and streams, with a limit on everything that is read.
package enum FileContent {
    /// Bytes that are set aside at once for a file that says it has as many.
    private static let reservedBytesMax: UInt64 = 1 << 22

    /// Reads to the end; throws EFBIG beyond `bytesMax`.
    package static func read(_ file: borrowing Descriptor, bytesMax: Int) throws(SystemError) -> [UInt8] {
        var content: [UInt8] = []
        // A hint, which says nothing of a pipe or of what the kernel makes while it is read.
        content.reserveCapacity(Int(min(try file.status().size, reservedBytesMax)))
        try forEachChunk(file) { (chunk: UnsafeRawBufferPointer) throws(SystemError) in
            guard content.count + chunk.count <= bytesMax else { throw SystemError("read", code: EFBIG) }
            content.append(contentsOf: chunk)
        }
        return content
    }

    /// Reads a file at a path that the caller trusts; symbolic links in it are followed.
    package static func read(trustedPath path: String, bytesMax: Int) throws(SystemError) -> [UInt8] {
        let raw = bailey_open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0)
        return try read(Descriptor(owning: try SystemError.check("open", raw, path: path)), bytesMax: bytesMax)
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
        // The standard library's own cannot say what its body throws.
        let result = bytes.withUnsafeBytes { bytes in Result { () throws(SystemError) in try write(bytes, to: raw) } }
        try result.get()
    }

    /// As above, without a copy of them.
    package static func write(_ bytes: UnsafeRawBufferPointer, to raw: Int32) throws(SystemError) {
        var offset = 0
        while offset < bytes.count {
            let count = Glibc.write(raw, bytes.baseAddress.map { $0 + offset }, bytes.count - offset)
            if count < 0, errno == EINTR { continue }
            offset += try SystemError.check("write", count)
        }
    }

    /// Puts a file in place of another: written beside it with the given mode, made durable, then renamed. Two
    /// processes that replace the same file at once never share the file beside it; the later rename stands.
    package static func replace(
        _ name: [UInt8],
        in directory: borrowing Directory,
        with bytes: [UInt8],
        mode: UInt32 = 0o600,
        durable: Bool = true
    ) throws(SystemError) {
        let temporary = temporaryName()
        do {
            let file = try fill(temporary, in: directory, with: bytes, mode: mode)
            if durable { try file.synchronize() }
            try directory.rename(temporary, to: directory, name)
        } catch {
            try? directory.removeFile(temporary)
            throw error
        }
        if durable { try directory.synchronize() }
    }

    /// The first half of a ``replace(_:in:with:mode:durable:)`` that is made durable together with other files: writes
    /// the file, mode 0600, and returns the name under which it waits. The caller waits for the batch, then renames it.
    package static func begin(
        in directory: borrowing Directory,
        with bytes: [UInt8],
        durableWith batch: SyncBatch
    ) throws(SystemError) -> [UInt8] {
        let temporary = temporaryName()
        do {
            try batch.add(fill(temporary, in: directory, with: bytes, mode: 0o600))
        } catch {
            try? directory.removeFile(temporary)
            throw error
        }
        return temporary
    }

    private static func temporaryName() -> [UInt8] {
        Array(".new.\(getpid()).\(replacements.wrappingAdd(1, ordering: .relaxed).newValue)".utf8)
    }

    /// Numbers the replacements of this process. A file of the same name was left by a dead process.
    private static let replacements = Atomic<UInt64>(0)

    private static func fill(
        _ name: [UInt8],
        in directory: borrowing Directory,
        with bytes: [UInt8],
        mode: UInt32
    ) throws(SystemError) -> Descriptor {
        let file = try directory.open(name, flags: O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: mode)
        try write(bytes, to: file.raw)
        return file
    }
}
