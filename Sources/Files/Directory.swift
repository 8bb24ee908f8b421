import CLinux
import Glibc

/// An open directory. Everything below it is reached by descriptor, beneath it, without following a symbolic link and
/// without crossing into magic links, so that no path is resolved twice and none leaves the tree.
package struct Directory: ~Copyable {
    private let handle: Descriptor

    /// Named limits of this module.
    package enum Limits {
        /// A symbolic link's target: PATH_MAX, which the kernel refuses to exceed.
        package static let linkTargetBytesMax = 4096
        /// A path that the kernel resolves at once: PATH_MAX with its NUL. A longer one takes several steps.
        package static let pathBytesMax = 4096
        /// One name: NAME_MAX.
        package static let nameBytesMax = 255
    }

    package init(owning handle: consuming Descriptor) { self.handle = handle }

    /// Opens a directory by a path that the caller trusts; symbolic links in it are followed.
    package init(trustedPath path: String) throws(SystemError) {
        let raw = bailey_open(path, O_RDONLY | O_DIRECTORY, 0)
        handle = Descriptor(owning: try SystemError.check("open", raw, path: path))
    }

    package var raw: Int32 { handle.raw }

    package consuming func release() -> Int32 { handle.release() }

    package func duplicate() throws(SystemError) -> Directory { Directory(owning: try handle.duplicate()) }

    /// Opens something below, symbolic links refused everywhere. The path may be longer than PATH_MAX.
    package func open(_ path: [UInt8], flags: Int32, mode: UInt32 = 0) throws(SystemError) -> Descriptor {
        if path.count >= Limits.pathBytesMax, let slash = path.lastIndex(of: UInt8(ascii: "/")) {
            let parent = try directory(at: path[..<slash].split(separator: UInt8(ascii: "/")).map(Array.init))
            return try parent.open(Array(path[(slash + 1)...]), flags: flags, mode: mode)
        }
        let rules = BAILEY_RESOLVE_BENEATH | BAILEY_RESOLVE_NO_SYMLINKS | BAILEY_RESOLVE_NO_MAGICLINKS
        let raw = Self.withPath(path) { pointer in
            bailey_openat2(handle.raw, pointer, UInt64(UInt32(bitPattern: flags)), UInt64(mode), UInt64(rules))
        }
        return Descriptor(owning: try SystemError.check("open", raw, path: Self.text(path)))
    }

    package func directory(_ path: [UInt8]) throws(SystemError) -> Directory {
        Directory(owning: try open(path.isEmpty ? Array(".".utf8) : path, flags: O_RDONLY | O_DIRECTORY))
    }

    /// `lstat` of a direct entry or, through openat2, of something deeper.
    package func status(_ path: [UInt8]) throws(SystemError) -> FileStatus {
        var result = stat()
        if path.contains(UInt8(ascii: "/")) {
            let found = try open(path, flags: BAILEY_O_PATH | O_NOFOLLOW)
            _ = try SystemError.check("stat", fstat(found.raw, &result), path: Self.text(path))
        } else if path.isEmpty {
            _ = try SystemError.check("stat", fstat(handle.raw, &result))
        } else {
            let code = Self.withPath(path) { fstatat(handle.raw, $0, &result, AT_SYMLINK_NOFOLLOW) }
            _ = try SystemError.check("stat", code, path: Self.text(path))
        }
        return FileStatus(result)
    }

    /// As ``status(_:)``, nil if there is nothing.
    package func statusIfPresent(_ path: [UInt8]) throws(SystemError) -> FileStatus? {
        do {
            return try status(path)
        } catch  where error.code == ENOENT || error.code == ENOTDIR {
            return nil
        }
    }

    /// Whether something lies at a path whose directories the caller trusts: one system call, for thousands of them.
    package func isPresent(_ path: [UInt8]) throws(SystemError) -> Bool {
        guard Self.withPath(path, { faccessat(handle.raw, $0, F_OK, AT_SYMLINK_NOFOLLOW) }) != 0 else { return true }
        let code = errno
        guard code == ENOENT || code == ENOTDIR else { throw SystemError("access", code: code, path: Self.text(path)) }
        return false
    }

    /// Bytes that a direct entry takes on the disk, holes not counted.
    package func allocatedBytes(_ name: [UInt8]) throws(SystemError) -> UInt64 {
        var result = stat()
        let code = Self.withPath(name) { fstatat(handle.raw, $0, &result, AT_SYMLINK_NOFOLLOW) }
        _ = try SystemError.check("stat", code, path: Self.text(name))
        return UInt64(max(0, result.st_blocks)) * 512
    }

    /// The target of a symbolic link that is a direct entry.
    package func linkTarget(_ name: [UInt8]) throws(SystemError) -> [UInt8] {
        var buffer = [CChar](repeating: 0, count: Limits.linkTargetBytesMax)
        let length = Self.withPath(name) { readlinkat(handle.raw, $0, &buffer, buffer.count) }
        let count = try SystemError.check("readlink", length, path: Self.text(name))
        return buffer[..<count].map(UInt8.init(bitPattern:))
    }

    /// One entry as the directory tells it; `kind` is nil where the file system does not say.
    package struct Entry: Sendable {
        package let name: [UInt8]
        package let kind: FileStatus.Kind?
    }

    package func makeDirectory(_ name: [UInt8], mode: UInt32) throws(SystemError) {
        let code = Self.withPath(name) { mkdirat(handle.raw, $0, mode) }
        _ = try SystemError.check("mkdir", code, path: Self.text(name))
    }

    package func makeSymbolicLink(_ name: [UInt8], to target: [UInt8]) throws(SystemError) {
        let code = Self.withPath(name) { link in Self.withPath(target) { symlinkat($0, handle.raw, link) } }
        _ = try SystemError.check("symlink", code, path: Self.text(name))
    }

    /// Makes an overlay's mark for a deleted or hidden entry.
    package func makeWhiteout(_ name: [UInt8]) throws(SystemError) {
        let code = Self.withPath(name) { mknodat(handle.raw, $0, S_IFCHR | 0o000, 0) }
        _ = try SystemError.check("mknod", code, path: Self.text(name))
    }

    package func removeFile(_ name: [UInt8]) throws(SystemError) {
        let code = Self.withPath(name) { unlinkat(handle.raw, $0, 0) }
        _ = try SystemError.check("unlink", code, path: Self.text(name))
    }

    package func removeDirectory(_ name: [UInt8]) throws(SystemError) {
        let code = Self.withPath(name) { unlinkat(handle.raw, $0, AT_REMOVEDIR) }
        _ = try SystemError.check("rmdir", code, path: Self.text(name))
    }

    package func setMode(_ name: [UInt8], _ mode: UInt32) throws(SystemError) {
        let file = try open(name, flags: O_RDONLY | O_NOFOLLOW | O_NONBLOCK)
        _ = try SystemError.check("chmod", fchmod(file.raw, mode), path: Self.text(name))
    }

    package func setOwner(_ name: [UInt8], userID: UInt32, groupID: UInt32) throws(SystemError) {
        let code = Self.withPath(name) { fchownat(handle.raw, $0, userID, groupID, AT_SYMLINK_NOFOLLOW) }
        _ = try SystemError.check("chown", code, path: Self.text(name))
    }

    /// Makes the directory's entries durable.
    package func synchronize() throws(SystemError) { _ = try SystemError.check("fsync", fsync(handle.raw)) }

    static func text(_ path: [UInt8]) -> String { String(decoding: path, as: UTF8.self) }

    static func withPath<Result>(_ path: [UInt8], _ body: (UnsafePointer<CChar>) -> Result) -> Result {
        precondition(!path.contains(0), "a path holds no NUL byte")
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: path.count + 1) { buffer in
            guard let base = buffer.baseAddress else { preconditionFailure("a terminated string is not empty") }
            for index in 0..<path.count { base[index] = CChar(bitPattern: path[index]) }
            base[path.count] = 0
            return body(base)
        }
    }
}
