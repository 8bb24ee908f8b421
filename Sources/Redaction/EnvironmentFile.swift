/// Reads `.env` files: `KEY=value` lines with `export`, comments, and quotes that may span lines.
///
/// It serves redaction: what one of the many readers of such files could take for a value is reported, so where they
/// differ (is `a#b` a comment? is `\n` an escape?) both readings are.
package enum EnvironmentFile {
    package struct Entry: Sendable, Equatable {
        package let name: [UInt8]
        package let value: [UInt8]
    }

    /// Named limits of this reader.
    package enum Limits {
        /// Entries of one file; the rest is ignored by taking every remaining line as a value.
        package static let entriesMax = 10_000
    }

    /// The values of a file, for a ``Redactor``.
    package static func values(_ bytes: [UInt8]) -> [[UInt8]] {
        entries(bytes).map(\.value).filter { !$0.isEmpty }
    }

    package static func entries(_ bytes: [UInt8]) -> [Entry] {
        var reader = Reader(bytes: bytes)
        return reader.entries()
    }

    private struct Reader {
        let bytes: [UInt8]
        var position = 0
        var found: [Entry] = []

        init(bytes: [UInt8]) {
            let mark: [UInt8] = [0xEF, 0xBB, 0xBF]
            self.bytes = bytes.starts(with: mark) ? Array(bytes.dropFirst(mark.count)) : bytes
        }

        mutating func entries() -> [Entry] {
            while position < bytes.count, found.count < Limits.entriesMax { line() }
            while position < bytes.count { found.append(Entry(name: [], value: restOfLine())) }
            return found
        }

        private func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }

        private mutating func skipBlanks() { while position < bytes.count, isBlank(bytes[position]) { position += 1 } }

        private mutating func restOfLine() -> [UInt8] {
            let start = position
            let end = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
            position = min(end + 1, bytes.count)
            return trim(bytes[start..<end])
        }

        private func trim(_ slice: ArraySlice<UInt8>) -> [UInt8] {
            guard let first = slice.firstIndex(where: { !isBlank($0) }),
                let last = slice.lastIndex(where: { !isBlank($0) })
            else { return [] }
            return Array(slice[first...last])
        }

        private mutating func line() {
            skipBlanks()
            guard position < bytes.count, bytes[position] != UInt8(ascii: "#"), bytes[position] != 0x0A else {
                _ = restOfLine()
                return
            }
            let start = position
            let lineEnd = bytes[start...].firstIndex(of: 0x0A) ?? bytes.count
            let isSeparator = { (byte: UInt8) in byte == UInt8(ascii: "=") || byte == UInt8(ascii: ":") }
            guard let separator = bytes[start..<lineEnd].firstIndex(where: isSeparator) else {
                _ = restOfLine()
                return
            }
            var name = trim(bytes[start..<separator])
            let export = Array("export ".utf8)
            if name.starts(with: export) { name = trim(name.dropFirst(export.count)) }
            position = separator + 1
            skipBlanks()
            guard position < bytes.count, bytes[position] != 0x0A else {
                _ = restOfLine()
                return
            }
            let quote = bytes[position]
            if quote == UInt8(ascii: "\"") || quote == UInt8(ascii: "'") || quote == UInt8(ascii: "`") {
                quoted(quote, name: name)
            } else {
                plain(name: name)
            }
        }

        private mutating func plain(name: [UInt8]) {
            let whole = restOfLine()
            found.append(Entry(name: name, value: whole))
            for index in whole.indices.dropFirst() where whole[index] == UInt8(ascii: "#") {
                let value = trim(whole[..<index])
                if value != whole { found.append(Entry(name: name, value: value)) }
                return
            }
        }

        /// A value in quotes; without a closing quote, all to the end of the line.
        private mutating func quoted(_ quote: UInt8, name: [UInt8]) {
            let start = position + 1
            var end = start
            while end < bytes.count, bytes[end] != quote {
                end += bytes[end] == UInt8(ascii: "\\") && quote == UInt8(ascii: "\"") ? 2 : 1
            }
            guard end < bytes.count else {
                position = start
                found.append(Entry(name: name, value: restOfLine()))
                return
            }
            let raw = Array(bytes[start..<end])
            found.append(Entry(name: name, value: raw))
            let value = unescape(raw)
            if quote == UInt8(ascii: "\""), value != raw { found.append(Entry(name: name, value: value)) }
            position = end + 1
            _ = restOfLine()
        }

        private func unescape(_ raw: [UInt8]) -> [UInt8] {
            var value: [UInt8] = []
            var index = 0
            while index < raw.count {
                guard raw[index] == UInt8(ascii: "\\"), index + 1 < raw.count else {
                    value.append(raw[index])
                    index += 1
                    continue
                }
                switch raw[index + 1] {
                case UInt8(ascii: "n"): value.append(0x0A)
                case UInt8(ascii: "r"): value.append(0x0D)
                case UInt8(ascii: "t"): value.append(0x09)
                default: value.append(raw[index + 1])
                }
                index += 2
            }
            return value
        }
    }
}
