import Domain

/// Writes the fixed little-endian forms of this module's stored files.
struct BinaryWriter {
    private(set) var bytes: [UInt8]

    init(magic: StaticString) {
        bytes = Array(magic.description.utf8)
        precondition(bytes.count == BinaryReader.magicBytes, "a magic is eight bytes")
    }

    mutating func add<Value: FixedWidthInteger>(_ value: Value) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    mutating func add(_ flag: Bool) { add(UInt8(flag ? 1 : 0)) }

    /// Length-prefixed bytes.
    mutating func add(_ content: [UInt8]) {
        add(UInt32(content.count))
        bytes.append(contentsOf: content)
    }

    mutating func add(_ text: String) { add(Array(text.utf8)) }

    mutating func add(_ path: RelativePath) { add(path.bytes) }

    mutating func add<Value>(optional value: Value?, _ body: (inout BinaryWriter, Value) -> Void) {
        add(value != nil)
        if let value { body(&self, value) }
    }

    mutating func addWords(_ words: ArraySlice<UInt64>) {
        add(UInt32(words.count))
        let ordered = words.map(\.littleEndian)
        ordered.withUnsafeBytes { bytes.append(contentsOf: $0) }
    }

    /// Everything written so far and its tag, so that a torn, damaged or forged file is seen.
    consuming func sealed(by seal: FileSeal) -> [UInt8] {
        bytes.append(contentsOf: seal.tag(of: bytes[...]))
        return bytes
    }
}

/// Reads those forms back. Every length is checked against what is left; anything odd throws ``BinaryReader/Damaged``.
struct BinaryReader {
    struct Damaged: Error {}

    static let magicBytes = 8

    private let bytes: ArraySlice<UInt8>
    private var position: Int

    /// Checks the tag at the end and the magic at the start.
    init(sealed: [UInt8], by seal: FileSeal, magic: StaticString) throws(Damaged) {
        let end = sealed.count - Digest.byteCount
        guard end >= Self.magicBytes, sealed[..<Self.magicBytes].elementsEqual(magic.description.utf8),
            seal.isTag(sealed[end...], of: sealed[..<end])
        else { throw Damaged() }
        bytes = sealed[..<end]
        position = Self.magicBytes
    }

    var isAtEnd: Bool { position == bytes.count }
    private var left: Int { bytes.count - position }

    mutating func read<Value: FixedWidthInteger>(_ type: Value.Type = Value.self) throws(Damaged) -> Value {
        let size = MemoryLayout<Value>.size
        guard left >= size else { throw Damaged() }
        defer { position += size }
        return bytes.withUnsafeBytes { Value(littleEndian: $0.loadUnaligned(fromByteOffset: position, as: Value.self)) }
    }

    mutating func readFlag() throws(Damaged) -> Bool {
        switch try read(UInt8.self) {
        case 0: false
        case 1: true
        default: throw Damaged()
        }
    }

    mutating func readBytes() throws(Damaged) -> [UInt8] {
        let count = Int(try read(UInt32.self))
        guard left >= count else { throw Damaged() }
        defer { position += count }
        return Array(bytes[position..<position + count])
    }

    mutating func readText() throws(Damaged) -> String {
        guard let text = String(validating: try readBytes(), as: UTF8.self) else { throw Damaged() }
        return text
    }

    mutating func readPath() throws(Damaged) -> RelativePath {
        guard let path = RelativePath(bytes: try readBytes()) else { throw Damaged() }
        return path
    }

    /// A single name, never a path.
    mutating func readName() throws(Damaged) -> [UInt8] {
        let name = try readBytes()
        guard RelativePath.isName(name) else { throw Damaged() }
        return name
    }

    mutating func readOptional<Value>(
        _ body: (inout BinaryReader) throws(Damaged) -> Value
    ) throws(Damaged) -> Value? {
        try readFlag() ? try body(&self) : nil
    }

    /// A count of things that take at least `bytesEach` each, so that a forged count cannot make memory run out.
    mutating func readCount(bytesEach: Int) throws(Damaged) -> Int {
        let count = Int(try read(UInt32.self))
        guard count <= left / max(1, bytesEach) else { throw Damaged() }
        return count
    }

    mutating func readWords(into words: inout [UInt64]) throws(Damaged) {
        let count = try readCount(bytesEach: 8)
        let first = words.count
        words.append(contentsOf: repeatElement(0, count: count))
        // An index holds a word for every file: they are copied at once, and turned round where the machine needs it.
        words.withUnsafeMutableBytes { target in
            bytes.withUnsafeBytes { source in
                UnsafeMutableRawBufferPointer(rebasing: target[(first * 8)...])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: source[position..<position + count * 8]))
            }
        }
        position += count * 8
        for index in first..<words.count { words[index] = UInt64(littleEndian: words[index]) }
    }
}
