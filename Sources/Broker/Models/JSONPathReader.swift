/// Reads a JSON text as it comes, split anywhere, and finds whole numbers that stand in objects within objects. It
/// holds no more than a few names, however long the text is. Nothing within a list is looked at.
struct JSONPathReader: Sendable {
    /// A number and the names that lead to it.
    struct Finding: Sendable {
        /// Joined by full stops.
        let path: String
        let number: UInt64
    }

    private enum Mode: Sendable { case between, string, escape, word }

    /// Only what stands in an object of this name is looked for, at the top or one below.
    private static let wanted = Array("usage".utf8)
    /// Objects around what is looked for.
    static let pathDepthMax = 4
    private static let nameBytesMax = 64
    private static let wordBytesMax = 32
    /// Larger counts are nonsense.
    private static let numberMax: UInt64 = 1_000_000_000_000
    private static let depthMax = 512

    /// What was found, in order; the last few of them.
    private(set) var findings: [Finding] = []
    /// A list of this name at the top held nothing.
    private(set) var emptyLists: Set<String> = []
    private var mode = Mode.between
    /// Kinds of what is open: true for objects.
    private var open: [Bool] = []
    /// Lists that are open around here.
    private var lists = 0
    /// Names that lead to here, one for each open object without a list around it.
    private var names: [[UInt8]] = []
    private var text: [UInt8] = []
    private var wantsName = false
    private var isName = false
    private var isBroken = false
    private var isOver = false
    private var listIsFresh = false

    private static let findingsMax = 64

    /// True for one object that came to its end.
    var isWhole: Bool { isOver && !isBroken }

    mutating func take(_ bytes: UnsafeRawBufferPointer) {
        var index = 0
        while index < bytes.count, !isBroken {
            let byte = bytes[index]
            switch mode {
            case .between: between(byte)
            case .string: index = string(bytes, index)
            case .escape:
                mode = .string
                keep(UInt8(ascii: "\\"))
                keep(byte)
            case .word:
                if JSONBytes.isInWord(byte) {
                    keep(byte)
                } else {
                    endWord()
                    mode = .between
                    continue
                }
            }
            index += 1
        }
    }

    /// Takes what a string has up to its end, or all that there is. Returns the place of the last byte that it took.
    private mutating func string(_ bytes: UnsafeRawBufferPointer, _ from: Int) -> Int {
        var index = from
        while index < bytes.count {
            switch bytes[index] {
            case UInt8(ascii: "\""):
                mode = .between
                if isName { endName() }
                return index
            case UInt8(ascii: "\\"):
                mode = .escape
                return index
            case let byte: if isName { keep(byte) }
            }
            index += 1
        }
        return index
    }

    private mutating func between(_ byte: UInt8) {
        let wasFresh = listIsFresh
        switch byte {
        case 0x20, 0x0A, 0x0D, 0x09: return
        case UInt8(ascii: "{"), UInt8(ascii: "["): begin(isObject: byte == UInt8(ascii: "{"))
        case UInt8(ascii: "}"), UInt8(ascii: "]"): end(isObject: byte == UInt8(ascii: "}"), wasFresh)
        case UInt8(ascii: "\""):
            mode = .string
            isName = wantsName && lists == 0 && open.count <= Self.pathDepthMax
            wantsName = false
            listIsFresh = false
            text = []
            if open.isEmpty { isBroken = true }
        case UInt8(ascii: ","):
            wantsName = open.last ?? false
            if wantsName, lists == 0, names.count == open.count { names.removeLast() }
        case UInt8(ascii: ":"): wantsName = false
        case let byte where JSONBytes.isInWord(byte):
            mode = .word
            listIsFresh = false
            text = [byte]
            if open.isEmpty { isBroken = true }
        default: isBroken = true
        }
    }

    private mutating func begin(isObject: Bool) {
        guard !isOver, open.count < Self.depthMax, isObject || !open.isEmpty else { return isBroken = true }
        open.append(isObject)
        if !isObject { lists += 1 }
        wantsName = isObject
        listIsFresh = !isObject
    }

    private mutating func end(isObject: Bool, _ wasFresh: Bool) {
        guard open.popLast() == isObject else { return isBroken = true }
        if !isObject {
            lists -= 1
            if wasFresh, open.count == 1, let name = names.first {
                emptyLists.insert(String(decoding: name, as: UTF8.self))
            }
        } else if lists == 0, names.count > open.count {
            names.removeLast(names.count - open.count)
        }
        listIsFresh = false
        wantsName = false
        if open.isEmpty { isOver = true }
    }

    private mutating func keep(_ byte: UInt8) { if text.count <= Self.nameBytesMax { text.append(byte) } }

    private mutating func endName() {
        isName = false
        guard names.count + 1 == open.count else { return isBroken = true }
        names.append(text)
    }

    private mutating func endWord() {
        guard lists == 0, open.count <= Self.pathDepthMax, names.count == open.count, text.count <= Self.wordBytesMax,
            names.prefix(2).contains(Self.wanted),
            let number = HTTPSyntax.decimal(text), number <= Self.numberMax
        else { return }
        let path = names.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".")
        if findings.count < Self.findingsMax { findings.append(Finding(path: path, number: number)) }
    }
}
