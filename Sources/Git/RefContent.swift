/// What may stand in the small text files of a git directory.
package enum RefContent {
    /// Bounds on these files.
    enum Limits {
        static let refBytesMax = 1100
        static let packedRefsBytesMax = 64 << 20
        static let logBytesMax = 64 << 20
        static let messageBytesMax = 1 << 20
    }

    /// One line: an object's name, or `ref: ` and a name below `refs/`.
    package static func isRef(_ content: [UInt8], format: ObjectFormat) -> Bool {
        guard content.last == UInt8(ascii: "\n"), content.count <= Limits.refBytesMax else { return false }
        let line = content.dropLast()
        if format.isHex(line) { return true }
        let prefix = Array("ref: ".utf8)
        return line.starts(with: prefix) && RefName.isValid(line.dropFirst(prefix.count))
    }

    /// One line with an object's name.
    package static func isObjectLine(_ content: [UInt8], format: ObjectFormat) -> Bool {
        content.last == UInt8(ascii: "\n") && format.isHex(content.dropLast())
    }

    /// Lines of `<object> <ref>`, each followed by `^<object>` at most once, behind a header.
    package static func isPackedRefs(_ content: [UInt8], format: ObjectFormat) -> Bool {
        guard content.isEmpty || content.last == UInt8(ascii: "\n") else { return false }
        var isSorted = false
        var last: ArraySlice<UInt8> = []
        var mayPeel = false
        for (number, line) in content.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
            .enumerated()
        {
            if line.first == UInt8(ascii: "#") {
                guard number == 0, line.starts(with: Array("# pack-refs with:".utf8)) else { return false }
                isSorted = line.split(separator: UInt8(ascii: " ")).contains { $0.elementsEqual("sorted".utf8) }
            } else if line.first == UInt8(ascii: "^") {
                guard mayPeel, format.isHex(line.dropFirst()) else { return false }
                mayPeel = false
            } else {
                let name = line.dropFirst(format.hexCount + 1)
                guard format.isHex(line.prefix(format.hexCount)),
                    line.dropFirst(format.hexCount).first == UInt8(ascii: " "),
                    RefName.isValid(name), !isSorted || last.lexicographicallyPrecedes(name)
                else { return false }
                last = name
                mayPeel = true
            }
        }
        return true
    }

    /// Lines that each begin with an object's name and a tab.
    package static func isFetchHead(_ content: [UInt8], format: ObjectFormat) -> Bool {
        isText(content)
            && content.split(separator: UInt8(ascii: "\n")).allSatisfy { line in
                format.isHex(line.prefix(format.hexCount))
                    && line.dropFirst(format.hexCount).first == UInt8(ascii: "\t")
            }
    }

    /// Lines of `<old> <new> <who and when>`.
    package static func isLog(_ content: [UInt8], format: ObjectFormat) -> Bool {
        isText(content)
            && content.split(separator: UInt8(ascii: "\n")).allSatisfy { line in
                let second = line.dropFirst(format.hexCount + 1)
                return format.isHex(line.prefix(format.hexCount)) && format.isHex(second.prefix(format.hexCount))
                    && line.dropFirst(format.hexCount).first == UInt8(ascii: " ")
                    && second.dropFirst(format.hexCount).first == UInt8(ascii: " ")
            }
    }

    package static func isText(_ content: [UInt8]) -> Bool { !content.contains(0) }
}
