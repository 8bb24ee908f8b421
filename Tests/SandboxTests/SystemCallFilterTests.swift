import Testing

@testable import Sandbox

@Suite("the system call filter")
struct SystemCallFilterTests {
    @Test("compiles, and no call is both allowed and refused")
    func compiles() throws {
        let program = try SystemCallFilter.compile(boundsSharedMemory: true)
        #expect(program.count % 8 == 0 && program.count > 800)
        #expect(Set(SystemCalls.allowed).isDisjoint(with: SystemCalls.refused))
        #expect(Set(SystemCalls.allowed).count == SystemCalls.allowed.count, "no call is listed twice")
    }

    @Test("the blocks around excluded requests hold every other 32-bit number and none of those")
    func blocks() {
        let excluded: [UInt64] = [0x5412, 0x541C, 0x5423]
        let blocks = SystemCallFilter.blocks(without: excluded)
        func isCovered(_ value: UInt64) -> Bool { blocks.contains { value & $0.mask == $0.value } }
        for value in excluded { #expect(!isCovered(value)) }
        let neighbours: [UInt64] = excluded.flatMap { [$0 - 1, $0 + 1, $0 | 0x8000_0000] as [UInt64] }
        for value in neighbours + [0, 0x5401, 0x5413, 0xFFFF_FFFF] {
            #expect(isCovered(value))
        }
        let size = blocks.reduce(UInt64(0)) { $0 + (0x1_0000_0000 - $1.mask) }
        #expect(size == 0x1_0000_0000 - UInt64(excluded.count), "the blocks do not overlap")
    }
}
