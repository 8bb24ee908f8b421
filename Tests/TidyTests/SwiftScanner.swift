/// Tells code from comments and from the contents of strings: enough of Swift's lexer for the rules, and no more.
///
/// Regular-expression literals are not known; the sources use none.
struct SwiftScanner {
    private enum Mode {
        /// `depth` counts open parentheses; an interpolation ends at the one that closes it.
        case code(depth: Int, isInterpolation: Bool)
        case string(hashes: Int, isMultiline: Bool)
    }

    private let bytes: [UInt8]
    private var position = 0
    private var line = 1
    private var modes: [Mode] = [.code(depth: 0, isInterpolation: false)]
    private(set) var code: [UInt8] = []
    private(set) var comments: [SourceFile.Comment] = []

    init(_ text: String) { bytes = Array(text.utf8) }

    mutating func scan() {
        while position < bytes.count {
            switch modes.last {
            case .string(let hashes, let isMultiline): scanString(hashes: hashes, isMultiline: isMultiline)
            case .code(let depth, let isInterpolation): scanCode(depth: depth, isInterpolation: isInterpolation)
            case nil: return
            }
        }
    }

    private mutating func scanCode(depth: Int, isInterpolation: Bool) {
        if starts("//") { return scanLineComment() }
        if starts("/*") { return scanBlockComment() }
        if openString() { return }
        let byte = bytes[position]
        if isInterpolation, byte == UInt8(ascii: "(") {
            modes[modes.count - 1] = .code(depth: depth + 1, isInterpolation: true)
        } else if isInterpolation, byte == UInt8(ascii: ")") {
            if depth == 0 {
                modes.removeLast()
            } else {
                modes[modes.count - 1] = .code(depth: depth - 1, isInterpolation: true)
            }
        }
        keep(1)
    }

    private mutating func scanString(hashes: Int, isMultiline: Bool) {
        let fence = String(repeating: "#", count: hashes)
        if starts((isMultiline ? "\"\"\"" : "\"") + fence) {
            modes.removeLast()
            keep((isMultiline ? 3 : 1) + hashes)
        } else if starts("\\" + fence + "(") {
            modes.append(.code(depth: 0, isInterpolation: true))
            blank(1 + hashes)
            keep(1)
        } else if starts("\\" + fence) {
            blank(2 + hashes)
        } else if !isMultiline, bytes[position] == UInt8(ascii: "\n") {
            modes.removeLast()
        } else {
            blank(1)
        }
    }

    /// Consumes the start of a string literal, if there is one here.
    private mutating func openString() -> Bool {
        var hashes = 0
        while position + hashes < bytes.count, bytes[position + hashes] == UInt8(ascii: "#") { hashes += 1 }
        guard position + hashes < bytes.count, bytes[position + hashes] == UInt8(ascii: "\"") else { return false }
        let isMultiline = starts(String(repeating: "#", count: hashes) + "\"\"\"")
        modes.append(.string(hashes: hashes, isMultiline: isMultiline))
        keep(hashes + (isMultiline ? 3 : 1))
        return true
    }

    private mutating func scanLineComment() {
        let start = position
        let first = line
        while position < bytes.count, bytes[position] != UInt8(ascii: "\n") { blank(1) }
        record(String(decoding: bytes[start..<position], as: UTF8.self), at: first)
    }

    private mutating func scanBlockComment() {
        var depth = 0
        let start = position
        let first = line
        repeat {
            if starts("/*") {
                depth += 1
                blank(2)
            } else if starts("*/") {
                depth -= 1
                blank(2)
            } else {
                blank(1)
            }
        } while depth > 0 && position < bytes.count
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        for (offset, part) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            record(String(part), at: first + offset)
        }
    }

    private mutating func record(_ text: String, at line: Int) {
        let isDocumentation = text.hasPrefix("///") || text.hasPrefix("/**")
        var body = text.drop { $0 == "/" || $0 == "*" }
        if body.hasSuffix("*/") { body = body.dropLast(2) }
        comments.append(SourceFile.Comment(line: line, text: String(body), isDocumentation: isDocumentation))
    }

    private func starts(_ text: String) -> Bool { bytes[position...].starts(with: text.utf8) }

    private mutating func keep(_ count: Int) { advance(count) { $0 } }

    private mutating func blank(_ count: Int) {
        advance(count) { $0 == UInt8(ascii: "\n") ? $0 : UInt8(ascii: " ") }
    }

    private mutating func advance(_ count: Int, _ transform: (UInt8) -> UInt8) {
        for byte in bytes[position..<min(position + count, bytes.count)] {
            if byte == UInt8(ascii: "\n") { line += 1 }
            code.append(transform(byte))
        }
        position = min(position + count, bytes.count)
    }
}
