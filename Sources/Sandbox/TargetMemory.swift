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
    /// The pointers to the arguments and the null after them.
    private static let tableBytes = (argumentsMax + 1) * 8
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

    /// Where the address lies that a message names (struct msghdr of recv(2)), and its length; nil if it names none.
    func destination(message: UInt64) -> (address: UInt64, length: UInt64)? {
        let start = bytes(message, 16)
        guard start.count == 16 else { return nil }
        return start.withUnsafeBytes { raw in
            let address = raw.loadUnaligned(fromByteOffset: 0, as: UInt64.self)
            let length = raw.loadUnaligned(fromByteOffset: 8, as: UInt32.self)
            return address == 0 ? nil : (address, UInt64(length))
        }
    }

    /// What a call asks to execute, as ``text(_:bytesMax:)`` and ``arguments(_:)`` say it. Mostly two reads do: one of
    /// the path and the array, one of the texts.
    func execution(path: UInt64, arguments: UInt64) -> (path: [UInt8]?, arguments: Arguments?) {
        let counts = [Self.firstReadBytes, arguments == 0 ? 0 : Self.tableBytes]
        let both = [UInt8](unsafeUninitializedCapacity: counts[0] + counts[1]) { buffer, initialized in
            initialized = max(0, bailey_read_two(process, [path, arguments], counts, buffer.baseAddress))
        }
        let name = text(both.prefix(Self.firstReadBytes), at: path, bytesMax: Self.pathBytesMax)
        // A path that ends with its memory leaves the array unread.
        guard arguments != 0, both.count > Self.firstReadBytes else { return (name, self.arguments(arguments)) }
        return (name, self.arguments(table: both.dropFirst(Self.firstReadBytes)))
    }

    /// A text without its terminating zero; nil if it cannot be read or has no end within the limit.
    package func text(_ address: UInt64, bytesMax: Int) -> [UInt8]? {
        text(bytes(address, Self.firstReadBytes)[...], at: address, bytesMax: bytesMax)
    }

    private func text(_ start: ArraySlice<UInt8>, at address: UInt64, bytesMax: Int) -> [UInt8]? {
        if let end = start.firstIndex(of: 0) { return Array(start[..<end]) }
        guard start.count == Self.firstReadBytes else { return nil }
        let whole = bytes(address, bytesMax)
        return whole.firstIndex(of: 0).map { Array(whole[..<$0]) }
    }

    /// The texts that an array of pointers, ended by a null, points to; nil if the array itself cannot be read.
    package func arguments(_ address: UInt64) -> Arguments? {
        if address == 0 { return Arguments() }
        return arguments(table: bytes(address, Self.tableBytes)[...])
    }

    private func arguments(table: ArraySlice<UInt8>) -> Arguments? {
        guard table.count >= 8 else { return nil }
        var pointers: [UInt64] = []
        var isEnded = false
        table.withUnsafeBytes { raw in
            for offset in stride(from: 0, to: raw.count - 7, by: 8) {
                let pointer = raw.loadUnaligned(fromByteOffset: offset, as: UInt64.self)
                isEnded = pointer == 0
                if isEnded || pointers.count == Self.argumentsMax { return }
                pointers.append(pointer)
            }
        }
        let window = Window(around: pointers, in: self)
        // The longest that is kept, with its zero: alone it is kept as it is in the window.
        let found = Self.keep(
            pointers.lazy.map { window.text($0) ?? text($0, bytesMax: Self.argumentBytesMax + 1) }
        )
        return Arguments(texts: found.texts, isCut: found.isCut || !isEnded)
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
