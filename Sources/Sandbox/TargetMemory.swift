import CLinux

/// Reads what a waiting call points to, in somebody else's memory that may be anything and may change meanwhile.
///
/// Every read is bounded in bytes and in number, whatever the memory holds. No read can be made to wait: userfaultfd is
/// not on the allow list, and no file system can be mounted inside.
package struct TargetMemory {
    /// PATH_MAX: the kernel refuses a longer path.
    package static let pathBytesMax = 4096
    /// Arguments that are kept of one execution, and bytes of each and of all. One that is longer is left out as a
    /// whole: half a secret would not be known as one.
    package static let argumentsMax = 64
    package static let argumentBytesMax = 4096
    package static let argumentsBytesMax = 8192
    /// Most paths are shorter.
    private static let firstReadBytes = 256
    /// Arguments mostly lie side by side: one read takes them all.
    private static let windowBytesMax = 16384

    package struct Arguments: Equatable {
        package var texts: [[UInt8]] = []
        package var isCut = false
    }

    private let process: Int32

    package init(process: Int32) { self.process = process }

    /// The bytes at an address, fewer where the memory ends.
    package func bytes(_ address: UInt64, _ count: Int) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            initialized = max(0, bailey_read_memory(process, address, buffer.baseAddress, count))
        }
    }

    /// A text without its terminating zero; nil if it cannot be read or has no end within the limit.
    package func text(_ address: UInt64, bytesMax: Int) -> [UInt8]? {
        let start = bytes(address, Self.firstReadBytes)
        if let end = start.firstIndex(of: 0) { return Array(start[..<end]) }
        guard start.count == Self.firstReadBytes else { return nil }
        let whole = bytes(address, bytesMax)
        return whole.firstIndex(of: 0).map { Array(whole[..<$0]) }
    }

    /// The texts that an array of pointers, ended by a null, points to; nil if the array itself cannot be read.
    package func arguments(_ address: UInt64) -> Arguments? {
        if address == 0 { return Arguments() }
        let table = bytes(address, (Self.argumentsMax + 1) * 8)
        guard table.count >= 8 else { return nil }
        var pointers = stride(from: 0, to: table.count - 7, by: 8).map { start in
            table[start..<start + 8].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        }
        var result = Arguments()
        if let end = pointers.firstIndex(of: 0) {
            pointers.removeSubrange(end...)
        } else {
            result.isCut = true
            pointers = Array(pointers.prefix(Self.argumentsMax))
        }
        let window = Window(around: pointers, in: self)
        // The longest that is kept, with its zero: alone it is kept as it is in the window.
        let found = Self.keep(
            pointers.lazy.map { window.text($0) ?? text($0, bytesMax: Self.argumentBytesMax + 1) }
        )
        return Arguments(texts: found.texts, isCut: found.isCut || result.isCut)
    }

    /// The first arguments, up to the limits or one that is missing: what follows a missing word would be judged
    /// without it, such as the value of a secret option.
    package static func keep(_ texts: some Sequence<[UInt8]?>) -> Arguments {
        var result = Arguments()
        var room = argumentsBytesMax
        for text in texts {
            guard let text, text.count <= min(room, argumentBytesMax), result.texts.count < argumentsMax else {
                result.isCut = true
                return result
            }
            room -= text.count
            result.texts.append(text)
        }
        return result
    }

    /// One read over neighbouring texts.
    private struct Window {
        private let start: UInt64
        private let bytes: [UInt8]

        init(around pointers: [UInt64], in memory: TargetMemory) {
            let low = pointers.min() ?? 0
            let high = pointers.max() ?? 0
            start = low
            let room = UInt64(TargetMemory.windowBytesMax - TargetMemory.firstReadBytes)
            bytes =
                pointers.isEmpty || high - low > room
                ? [] : memory.bytes(low, Int(high - low) + TargetMemory.firstReadBytes)
        }

        func text(_ pointer: UInt64) -> [UInt8]? {
            guard pointer >= start, pointer - start < UInt64(bytes.count) else { return nil }
            let rest = bytes[Int(pointer - start)...]
            return rest.firstIndex(of: 0).map { Array(rest[..<$0]) }
        }
    }
}
