import Domain

/// What a person sees of a name, and whether that is what is there.
enum NameText {
    static func isUTF8(_ name: [UInt8]) -> Bool {
        name.allSatisfy { $0 < 0x80 } || String(validating: name, as: UTF8.self) != nil
    }

    /// True if the name holds something that a terminal acts on or that cannot be seen. A backslash is neither.
    static func isDeceptive(_ name: [UInt8]) -> Bool {
        if name.allSatisfy({ (0x20..<0x7F).contains($0) }) { return false }
        let seen = name.filter { $0 != UInt8(ascii: "\\") }
        return !Printable.isPlain(seen)
            || String(decoding: seen, as: UTF8.self).unicodeScalars.contains(where: isInvisible)
    }

    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        // Emoji and text presentation: part of many ordinary names.
        case 0xFE0E, 0xFE0F: false
        // An empty pattern of Braille dots.
        case 0x2800: true
        default: scalar.properties.isDefaultIgnorableCodePoint
        }
    }
}
