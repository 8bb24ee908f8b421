import Glibc

/// Memory of its own for bytes that are secret: never swapped, in no core dump, gone from a process that is forked off,
/// and wiped when it is given back. It is written once.
package struct SecretMemory: ~Copyable, @unchecked Sendable {
    /// Why there is none.
    package struct Failure: Error, CustomStringConvertible {
        package let description: String

        init(_ attempt: String, code: Int32 = errno) {
            description = "\(attempt): \(String(cString: strerror(code)))"
        }
    }

    private let start: UnsafeMutableRawPointer
    private let mapped: Int
    package let count: Int

    /// - Parameter fill: writes what it is to hold; everything is zero before.
    package init(count: Int, fill: (UnsafeMutableRawBufferPointer) -> Void) throws(Failure) {
        let page = sysconf(Int32(_SC_PAGESIZE))
        let mapped = (max(1, count) + page - 1) / page * page
        start = try Self.map(mapped)
        self.mapped = mapped
        self.count = count
        fill(UnsafeMutableRawBufferPointer(start: start, count: count))
    }

    deinit {
        explicit_bzero(start, mapped)
        munmap(start, mapped)
    }

    package func withBytes<Value, Failure>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        try body(UnsafeRawBufferPointer(start: start, count: count))
    }

    private static func map(_ bytes: Int) throws(Failure) -> UnsafeMutableRawPointer {
        let flags = MAP_PRIVATE | MAP_ANONYMOUS
        guard let start = mmap(nil, bytes, PROT_READ | PROT_WRITE, flags, -1, 0), start != MAP_FAILED else {
            throw Failure("map memory for a secret")
        }
        guard madvise(start, bytes, MADV_DONTDUMP) == 0, madvise(start, bytes, MADV_WIPEONFORK) == 0 else {
            let failure = Failure("keep memory for a secret to this process")
            munmap(start, bytes)
            throw failure
        }
        guard mlock(start, bytes) == 0 else {
            let failure = Failure("lock memory for a secret (ulimit -l)")
            munmap(start, bytes)
            throw failure
        }
        return start
    }
}
