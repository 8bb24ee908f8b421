import Domain

/// The rules of `git check-ref-format`, and a few more: nothing invisible, nothing that looks like an option.
enum RefName {
    /// The kernel's limit on a path leaves no room for more.
    static let bytesMax = 1024

    /// True for a whole name below `refs/`, such as `refs/heads/main`.
    static func isValid(_ name: some Collection<UInt8>) -> Bool {
        guard name.count <= bytesMax, let path = RelativePath(bytes: Array(name)) else { return false }
        return path.components.count >= 2 && path.components[0].elementsEqual("refs".utf8)
            && path.components.allSatisfy(isValidPart)
    }

    /// True for one name between slashes.
    static func isValidPart(_ part: [UInt8]) -> Bool {
        guard let first = part.first, let last = part.last else { return false }
        if first == UInt8(ascii: ".") || first == UInt8(ascii: "-") || last == UInt8(ascii: ".") { return false }
        if part.elementsEqual("@".utf8) || part.suffix(5).elementsEqual(".lock".utf8) { return false }
        let forbidden = Array(" ~^:?*[\\".utf8)
        if part.contains(where: { $0 < 0x20 || $0 == 0x7F || forbidden.contains($0) }) { return false }
        for index in part.indices.dropLast() {
            let pair = (part[index], part[index + 1])
            if pair == (UInt8(ascii: "."), UInt8(ascii: ".")) || pair == (UInt8(ascii: "@"), UInt8(ascii: "{")) {
                return false
            }
        }
        return Printable.isPlain(part)
    }
}
