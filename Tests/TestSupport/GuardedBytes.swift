import Glibc

/// Bytes that end where an unreadable page begins, so that reading past them is noticed by the processor.
package final class GuardedBytes {
    private let mapping: UnsafeMutableRawPointer
    private let mappedBytes: Int
    private let bytes: UnsafeRawBufferPointer

    package init(_ content: [UInt8]) {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let room = (content.count + 7) / 8 * 8
        let readable = max(1, (room + page - 1) / page) * page
        mappedBytes = readable + page
        let mapped = mmap(nil, mappedBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let mapped, mapped != MAP_FAILED else { preconditionFailure("a few pages can be mapped") }
        mapping = mapped
        let start = mapped + readable - room
        content.withUnsafeBytes { source in
            if let base = source.baseAddress { memcpy(start, base, content.count) }
        }
        mprotect(mapped + readable, page, PROT_NONE)
        bytes = UnsafeRawBufferPointer(start: start, count: content.count)
    }

    deinit { munmap(mapping, mappedBytes) }

    package func withBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try body(bytes)
    }
}
