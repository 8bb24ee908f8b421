import Glibc

/// Pages of their own for bytes that are secret: never in a core file, gone from a process that is forked off, and
/// wiped when they are given back.
package struct SecretPages: ~Copyable, @unchecked Sendable {
    /// What becomes of secrets where the limits (`ulimit -l`) allow no page that is never swapped.
    package enum Locking: Sendable {
        /// There is no memory for them: the broker holds them for as long as the run lives.
        case required
        /// They are as good as any other memory until they are wiped: the supervisor only passes them on.
        case wherePossible
    }

    package let base: UnsafeMutableRawPointer
    /// Whole pages.
    package let count: Int

    /// Everything is zero at first.
    package init(bytesMin: Int, _ locking: Locking) throws(LinkError) {
        let page = sysconf(Int32(_SC_PAGESIZE))
        let count = (max(1, bytesMin) + page - 1) / page * page
        base = try Self.map(count, locking)
        self.count = count
    }

    deinit {
        explicit_bzero(base, count)
        munmap(base, count)
    }

    private static func map(_ bytes: Int, _ locking: Locking) throws(LinkError) -> UnsafeMutableRawPointer {
        let flags = MAP_PRIVATE | MAP_ANONYMOUS
        guard let base = mmap(nil, bytes, PROT_READ | PROT_WRITE, flags, -1, 0), base != MAP_FAILED else {
            throw failure("map memory for a secret")
        }
        guard madvise(base, bytes, MADV_DONTDUMP) == 0, madvise(base, bytes, MADV_WIPEONFORK) == 0 else {
            let failure = failure("keep memory for a secret to this process")
            munmap(base, bytes)
            throw failure
        }
        guard mlock(base, bytes) == 0 || locking == .wherePossible else {
            let failure = failure("lock memory for a secret (ulimit -l)")
            munmap(base, bytes)
            throw failure
        }
        return base
    }

    private static func failure(_ attempt: String) -> LinkError {
        LinkError("\(attempt): \(String(cString: strerror(errno)))")
    }
}
