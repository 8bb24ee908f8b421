import Domain
import Journal
import Policy

extension FuzzTarget {
    /// JSON of journals and of people: what is read is written back as the same value, byte for byte from then on.
    static let json = FuzzTarget("json") {
        [
            #"{"a":[1,-2.5e3,18446744073709551615,true,null],"b":{"c":"\u00e9\ud83d\ude00\n"}}"#, "[[[[]]]]",
            #""\u2028\u202e""#, "-0.0", "1e308",
        ].map { Array($0.utf8) }
    } prepare: {
        { bytes in
            guard let value = try? JSONParser.parse(bytes) else { return }
            let written = value.bytes()
            guard let again = try? JSONParser.parse(written) else {
                throw FuzzFinding("what was written cannot be read: \(Printable.text(written))")
            }
            try promise(again == value, "a value changed on its way")
            try promise(again.bytes() == written, "a value is written in two ways")
            try promise(!written.contains { $0 < 0x20 || $0 == 0x7F }, "a control character was written")
        }
    }

    /// Small texts that people and files bring: identifiers, sizes, durations, paths, names, encodings.
    static let text = FuzzTarget("text", bytesMax: 1 << 13) {
        [
            "r_000000000abcdefghjk0", "4GiB", "1h", "366d", "src/main.swift", "../up", ".git/hooks/x", "a\\b\u{202e}c",
            "AAECAwQ=", String(repeating: "ab", count: 32), "18446744073709551615", "\u{feff}.GI\u{200c}T ",
        ].map { Array($0.utf8) } + [[0xFF, 0xC0, 0x80, 0xE2, 0x80], Array(repeating: 0xFF, count: 1 << 12)]
    } prepare: {
        { bytes in
            let text = String(decoding: bytes, as: UTF8.self)
            try checkValues(text)
            try checkPath(bytes)
            try promise(Base64.decode(Base64.encode(bytes)) == bytes, "base 64 loses bytes")
            if let decoded = Base64.decode(text) {
                try promise(Base64.encode(decoded) == text, "base 64 has two spellings")
            }
            if let digest = Digest(hex: text) { try promise(digest.hex == text, "a digest has two spellings") }
            let number = bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            let timestamp = Timestamp.text(unixMilliseconds: number)
            try promise(timestamp.hasSuffix("Z"), "a time is no time: \(timestamp)")
        }
    }

    private static func checkValues(_ text: String) throws {
        if let run = RunID(text) {
            try promise(run.rawValue == text && text.utf8.count <= RunID.lengthMax, "an identifier was changed")
            _ = run.createdUnixMilliseconds
        }
        if let duration = DurationText(text) {
            try promise((1...DurationText.millisecondsMax).contains(duration.milliseconds), "a duration out of range")
        }
        if let size = ByteSize(text) {
            try promise((1...ByteSize.bytesMax).contains(size.bytes), "a size out of range")
        }
        if let count = CountText(text) {
            try promise((1...CountText.valueMax).contains(count.value), "a count out of range")
        }
    }

    private static func checkPath(_ bytes: [UInt8]) throws {
        let shown = Printable.text(bytes)
        try promise(Self.isOneLine(shown), "a printable text holds a control character")
        try promise(Printable.isPlain(bytes) == shown.utf8.elementsEqual(bytes), "a text is plain and is not")
        guard let path = RelativePath(bytes: bytes) else { return }
        try promise(path.bytes == bytes, "a path was changed")
        let dots: [[UInt8]] = [[], Array(".".utf8), Array("..".utf8)]
        try promise(!path.components.contains(where: dots.contains), "a path leaves its root")
        let change = Change(path: path, kind: .created, file: .file, mode: 0o644)
        let finding = GateRules.judge(change)
        try promise(GateRules.judge(change) == finding, "the gate's rules change their mind")
        if !path.isRoot,
            String(validating: bytes, as: UTF8.self) == nil || !isOneLine(String(decoding: bytes, as: UTF8.self))
        {
            try promise(finding?.level == .deny, "a name that cannot be shown may enter: \(shown)")
        }
    }

    /// No character in it moves a cursor or ends a line.
    static func isOneLine(_ text: String) -> Bool {
        !text.unicodeScalars.contains { scalar in
            switch scalar.properties.generalCategory {
            case .control, .lineSeparator, .paragraphSeparator: true
            default: (0x202A...0x202E).contains(scalar.value) || (0x2066...0x2069).contains(scalar.value)
            }
        }
    }
}
