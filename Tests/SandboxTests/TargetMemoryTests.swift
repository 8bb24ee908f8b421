import Glibc
import Testing

@testable import Sandbox

@Suite("another process's memory is read within limits, whatever it holds")
struct TargetMemoryTests {
    private let memory = TargetMemory(process: getpid())

    /// Two pages of which only the first can be read.
    private func withCliff(_ body: (UnsafeMutableRawPointer, Int) -> Void) throws {
        let page = 4096
        let mapped = mmap(nil, page * 2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        let start = try #require(mapped != MAP_FAILED ? mapped : nil)
        #expect(mprotect(start + page, page, PROT_NONE) == 0)
        body(start, page)
        munmap(start, page * 2)
    }

    private func address(_ pointer: UnsafeRawPointer) -> UInt64 { UInt64(UInt(bitPattern: pointer)) }

    @Test func texts() throws {
        let text = strdup("a path")
        defer { free(text) }
        let pointer = try #require(text)
        #expect(memory.text(address(pointer), bytesMax: 4096) == Array("a path".utf8))
        for wrong: UInt64 in [0, 1, 4095, UInt64.max, UInt64.max - 10, 1 << 63] {
            #expect(memory.text(wrong, bytesMax: 4096) == nil)
            #expect(wrong == 0 || memory.arguments(wrong) == nil)
            #expect(memory.bytes(wrong, 128).isEmpty)
        }
        #expect(memory.arguments(0)?.texts == [])
    }

    @Test func theEndOfMemory() throws {
        try withCliff { start, page in
            memset(start, 0x41, page)
            #expect(memory.text(address(start), bytesMax: 4096) == nil, "a text without an end is none")
            #expect(memory.text(address(start + page - 10), bytesMax: 4096) == nil)
            #expect(memory.bytes(address(start + page - 10), 128).count == 10)
            start.storeBytes(of: 0, toByteOffset: page - 1, as: UInt8.self)
            #expect(memory.text(address(start + page - 10), bytesMax: 4096)?.count == 9)
            #expect(memory.text(address(start), bytesMax: 4096)?.count == page - 1)
            #expect(memory.text(address(start), bytesMax: 1000) == nil, "longer than allowed")
        }
    }

    @Test func anArrayThatRunsOverTheEnd() throws {
        let word = try #require(strdup("word"))
        defer { free(word) }
        try withCliff { start, page in
            for slot in 0..<8 {
                start.storeBytes(of: address(word), toByteOffset: page - 64 + slot * 8, as: UInt64.self)
            }
            let found = memory.arguments(address(start + page - 64))
            #expect(found?.texts.count == 8 && found?.isCut == true)
        }
    }

    @Test func manyAndLong() throws {
        let word = try #require(strdup("word"))
        defer { free(word) }
        var pointers = [UInt64](repeating: address(word), count: 100_000)
        let many = pointers.withUnsafeBytes { bytes in bytes.baseAddress.flatMap { memory.arguments(address($0)) } }
        #expect(many?.texts.count == TargetMemory.argumentsMax && many?.isCut == true)

        let long = try #require(strdup(String(repeating: "x", count: 5000)))
        defer { free(long) }
        pointers = [address(word), address(long), address(word), 0]
        let cut = pointers.withUnsafeBytes { bytes in bytes.baseAddress.flatMap { memory.arguments(address($0)) } }
        #expect(cut == TargetMemory.Arguments(texts: [Array("word".utf8)], isCut: true))

        let wide = try #require(strdup(String(repeating: "y", count: 3000)))
        defer { free(wide) }
        pointers = [address(wide), address(wide), address(wide), 0]
        let sum = pointers.withUnsafeBytes { bytes in bytes.baseAddress.flatMap { memory.arguments(address($0)) } }
        #expect(sum?.texts.count == 2 && sum?.isCut == true, "8 KiB of all are kept")
    }

    @Test func scatteredTexts() throws {
        let low = try #require(strdup("low"))
        defer { free(low) }
        try withCliff { start, page in
            start.storeBytes(of: 0x7A, toByteOffset: 0, as: UInt16.self)
            let pointers: [UInt64] = [address(low), address(start), 1, address(low), 0]
            let found = pointers.withUnsafeBytes { bytes in bytes.baseAddress.flatMap { memory.arguments(address($0)) }
            }
            #expect(found == TargetMemory.Arguments(texts: [Array("low".utf8), [0x7A]], isCut: true))
        }
    }

    @Test func pathAndArgumentsTogether() throws {
        let word = try #require(strdup("word"))
        let long = try #require(strdup(String(repeating: "p", count: 3000)))
        defer {
            free(word)
            free(long)
        }
        let words = TargetMemory.Arguments(texts: [Array("word".utf8), Array("word".utf8)])
        try withCliff { start, page in
            memset(start, 0x41, page)
            start.storeBytes(of: 0, toByteOffset: page - 1, as: UInt8.self)
            let atTheEnd = start + page - 10
            let pointers: [UInt64] = [address(word), address(word), 0]
            pointers.withUnsafeBytes { bytes in
                guard let table = bytes.baseAddress.map({ address($0) }) else { return }
                for path in [address(word), address(long), address(atTheEnd)] {
                    let found = memory.execution(path: path, arguments: table)
                    #expect(found.path == memory.text(path, bytesMax: 4096) && found.path != nil)
                    #expect(found.arguments == words, "whatever the path is")
                }
                let unreadable = memory.execution(path: address(start + page), arguments: table)
                #expect(unreadable.path == nil && unreadable.arguments == words)
                let none = memory.execution(path: address(word), arguments: address(start + page))
                #expect(none.path == Array("word".utf8) && none.arguments == nil)
                #expect(memory.execution(path: address(word), arguments: 0).arguments?.texts == [])
                #expect(memory.execution(path: UInt64.max, arguments: UInt64.max - 3).path == nil)
            }
        }
    }

    @Test func aProcessThatIsGone() {
        let gone = TargetMemory(process: Int32.max)
        #expect(gone.text(4096, bytesMax: 4096) == nil && gone.arguments(4096) == nil)
    }
}
