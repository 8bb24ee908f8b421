import Sandbox
import TestSupport

/// A piece of memory that ends where an unreadable page begins, and what a look into it from outside has to find.
final class MemoryOracle {
    private let guarded: GuardedBytes
    private let bytes: [UInt8]
    private let start: UInt64

    init(_ content: [UInt8]) {
        guarded = GuardedBytes(content)
        // Guarded bytes end with their last whole word.
        bytes = content + [UInt8](repeating: 0, count: (8 - content.count % 8) % 8)
        start = guarded.withBytes { UInt64(UInt(bitPattern: $0.baseAddress)) }
    }

    /// Null, somewhere in the piece, just behind it, or where no program has memory.
    func address(_ kind: UInt8, _ number: Int) -> UInt64 {
        switch kind % 8 {
        case 0: 0
        case 1: 1 + UInt64(number % 4095)
        case 2: .max - UInt64(number)
        case 3: start + UInt64(bytes.count + number % 4096)
        case 4: 1 << 63 | UInt64(number)
        default: start + UInt64(bytes.isEmpty ? 0 : number % bytes.count)
        }
    }

    func check(_ memory: TargetMemory, bytes count: Int, at address: UInt64) throws {
        try promise(memory.bytes(address, count) == read(address, count), "\(count) bytes are read wrongly")
        for limit in [count, TargetMemory.pathBytesMax] where limit > 256 {
            try promise(
                memory.text(address, bytesMax: limit) == text(address, bytesMax: limit),
                "a text is read wrongly"
            )
        }
    }

    func check(_ memory: TargetMemory, argumentsAt pointers: [UInt64]) throws {
        let table = GuardedBytes(
            pointers.flatMap { pointer in withUnsafeBytes(of: pointer.littleEndian) { Array($0) } }
        )
        let found = withExtendedLifetime(table) {
            memory.arguments(table.withBytes { UInt64(UInt(bitPattern: $0.baseAddress)) })
        }
        guard let expected = arguments(pointers) else {
            try promise(found == nil, "arguments are read where none can be")
            return
        }
        try promise(found?.texts == expected.texts, "arguments are read wrongly")
        try promise(found?.isCut == expected.isCut, "arguments that are missing are not missed, or the other way round")
    }

    private func read(_ address: UInt64, _ count: Int) -> [UInt8] {
        guard address >= start, address - start < UInt64(bytes.count) else { return [] }
        return Array(bytes[Int(address - start)...].prefix(count))
    }

    private func text(_ address: UInt64, bytesMax: Int) -> [UInt8]? {
        let found = read(address, bytesMax)
        return found.firstIndex(of: 0).map { Array(found[..<$0]) }
    }

    /// The plainest reading of what ``TargetMemory`` promises: word by word, up to the first that is missing.
    private func arguments(_ pointers: [UInt64]) -> (texts: [[UInt8]], isCut: Bool)? {
        if pointers.isEmpty { return nil }
        let end = pointers.prefix(TargetMemory.argumentsMax + 1).firstIndex(of: 0)
        var texts: [[UInt8]] = []
        var room = TargetMemory.argumentsBytesMax
        for pointer in pointers.prefix(end ?? TargetMemory.argumentsMax) {
            guard let text = text(pointer, bytesMax: TargetMemory.argumentBytesMax + 1), text.count <= room else {
                return (texts, true)
            }
            room -= text.count
            texts.append(text)
        }
        return (texts, end == nil)
    }
}
