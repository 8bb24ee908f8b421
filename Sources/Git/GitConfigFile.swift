/// A git configuration file, read without running git and without following what it includes.
package struct GitConfigFile: Sendable {
    package struct Entry: Sendable, Equatable {
        /// In lower case.
        package let section: String
        package let subsection: String?
        /// In lower case.
        package let key: String
        /// Nil for a key without `=`, which means true.
        package let value: String?

        /// `core.hookspath`, `filter.lfs.clean`.
        package var name: String { [section, subsection, key].compactMap { $0 }.joined(separator: ".") }
    }

    /// Bounds on what is parsed.
    package enum Limits {
        package static let bytesMax = 1 << 20
        package static let entriesMax = 20_000
    }

    package let entries: [Entry]

    package init(_ bytes: [UInt8]) throws(GitError) {
        guard bytes.count <= Limits.bytesMax else {
            throw GitError(.tooLarge, "read a git configuration: it is too large")
        }
        var parser = GitConfigParser(bytes)
        entries = try parser.parse()
    }

    /// The last value of a key, as git takes it.
    package func value(_ name: String) -> String? { entries.last { $0.name == name }?.value }

    /// The hash that names the repository's objects; nil for one that is not known here.
    package var objectFormat: ObjectFormat? {
        guard let name = value("extensions.objectformat") else { return .sha1 }
        return ObjectFormat(rawValue: name.lowercased())
    }
}

/// The grammar of a git configuration file.
private struct GitConfigParser {
    private let bytes: [UInt8]
    private var offset = 0
    private var line = 1

    init(_ bytes: [UInt8]) {
        let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
        self.bytes = bytes.starts(with: mark) ? Array(bytes.dropFirst(mark.count)) : bytes
    }

    mutating func parse() throws(GitError) -> [GitConfigFile.Entry] {
        var entries: [GitConfigFile.Entry] = []
        var section: (String, String?)?
        while let byte = peek() {
            switch byte {
            case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\n"), UInt8(ascii: "\r"): _ = next()
            case UInt8(ascii: "#"), UInt8(ascii: ";"): skipLine()
            case UInt8(ascii: "["): section = try header()
            default:
                guard let (name, subsection) = section else { throw bad() }
                guard entries.count < GitConfigFile.Limits.entriesMax else {
                    throw GitError(.tooLarge, "read a git configuration: it has too many entries")
                }
                let (key, value) = try variable()
                entries.append(.init(section: name, subsection: subsection, key: key, value: value))
            }
        }
        return entries
    }

    private func peek() -> UInt8? { offset < bytes.count ? bytes[offset] : nil }

    /// The next byte, with CR LF taken as one line end.
    private mutating func next() -> UInt8? {
        guard var byte = peek() else { return nil }
        offset += 1
        if byte == UInt8(ascii: "\r"), peek() == UInt8(ascii: "\n") {
            byte = UInt8(ascii: "\n")
            offset += 1
        }
        if byte == UInt8(ascii: "\n") { line += 1 }
        return byte
    }

    private mutating func skipLine() {
        while let byte = next(), byte != UInt8(ascii: "\n") {}
    }

    private mutating func header() throws(GitError) -> (String, String?) {
        _ = next()
        var name: [UInt8] = []
        while let byte = next(), byte != UInt8(ascii: "\n") {
            if byte == UInt8(ascii: "]") {
                // The old form `[section.sub]`: the part behind the dot is a subsection in lower case.
                let parts = name.split(separator: UInt8(ascii: "."), maxSplits: 1).map {
                    String(decoding: $0, as: UTF8.self)
                }
                guard let first = parts.first else { throw bad() }
                return (first, parts.count > 1 ? parts[1] : nil)
            }
            if byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") {
                return (String(decoding: name, as: UTF8.self), try subsection())
            }
            guard isAlphanumeric(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: ".") else { throw bad() }
            name.append(lower(byte))
        }
        throw bad()
    }

    private mutating func subsection() throws(GitError) -> String {
        while let byte = peek(), byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { _ = next() }
        guard next() == UInt8(ascii: "\"") else { throw bad() }
        var text: [UInt8] = []
        while let byte = next(), byte != UInt8(ascii: "\n") {
            if byte == UInt8(ascii: "\"") {
                guard next() == UInt8(ascii: "]") else { throw bad() }
                return String(decoding: text, as: UTF8.self)
            }
            if byte == UInt8(ascii: "\\") {
                guard let escaped = next(), escaped != UInt8(ascii: "\n") else { throw bad() }
                text.append(escaped)
            } else {
                text.append(byte)
            }
        }
        throw bad()
    }

    private mutating func variable() throws(GitError) -> (String, String?) {
        var key: [UInt8] = []
        while let byte = peek(), isAlphanumeric(byte) || byte == UInt8(ascii: "-") {
            key.append(lower(byte))
            _ = next()
        }
        guard let first = key.first, isAlphanumeric(first), !(0x30...0x39).contains(first) else { throw bad() }
        let name = String(decoding: key, as: UTF8.self)
        while let byte = peek(), byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") { _ = next() }
        guard let byte = next() else { return (name, nil) }
        if byte == UInt8(ascii: "\n") { return (name, nil) }
        if byte == UInt8(ascii: "#") || byte == UInt8(ascii: ";") {
            skipLine()
            return (name, nil)
        }
        guard byte == UInt8(ascii: "=") else { throw bad() }
        return (name, try value())
    }

    private mutating func value() throws(GitError) -> String {
        var text: [UInt8] = []
        // Blanks count only where something follows them.
        var blanks: [UInt8] = []
        var isQuoted = false
        while let byte = next() {
            if byte == UInt8(ascii: "\n") {
                if isQuoted { throw bad() }
                break
            }
            if !isQuoted, byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") {
                if !text.isEmpty { blanks.append(byte) }
                continue
            }
            if !isQuoted, byte == UInt8(ascii: "#") || byte == UInt8(ascii: ";") {
                skipLine()
                break
            }
            text += blanks
            blanks = []
            if byte == UInt8(ascii: "\"") {
                isQuoted.toggle()
            } else if byte == UInt8(ascii: "\\") {
                if let escaped = try escape() { text.append(escaped) }
            } else {
                text.append(byte)
            }
        }
        if isQuoted { throw bad() }
        return String(decoding: text, as: UTF8.self)
    }

    /// What follows a backslash; nil for a line that goes on.
    private mutating func escape() throws(GitError) -> UInt8? {
        switch next() {
        case UInt8(ascii: "\n"): nil
        case UInt8(ascii: "t"): UInt8(ascii: "\t")
        case UInt8(ascii: "n"): UInt8(ascii: "\n")
        case UInt8(ascii: "b"): 0x08
        case UInt8(ascii: "\\"): UInt8(ascii: "\\")
        case UInt8(ascii: "\""): UInt8(ascii: "\"")
        default: throw bad()
        }
    }

    private func isAlphanumeric(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }

    private func lower(_ byte: UInt8) -> UInt8 { (0x41...0x5A).contains(byte) ? byte | 0x20 : byte }

    private func bad() -> GitError { GitError(.malformed, "read a git configuration: line \(line) is not understood") }
}
