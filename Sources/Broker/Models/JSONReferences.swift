/// Tells by names and values of a body, in the order in which they stand, whether a service will read a file or an
/// address that the body only names.
struct JSONReferences {
    /// What was said last, if it is the name of what comes now.
    private var name: Slice<UnsafeRawBufferPointer>?
    private var last: Slice<UnsafeRawBufferPointer>?
    /// A picture is described by an object of its own.
    private var isOfPicture = false

    /// What follows has the last string for its name.
    ///
    /// - Returns: whether that leads elsewhere: a name that is written with escapes could be any of these.
    mutating func takeColon() -> Bool {
        name = last
        guard let last else { return false }
        if last.elementsEqual("image_url".utf8) { isOfPicture = true }
        return last.contains(UInt8(ascii: "\\"))
    }

    /// An object or a list begins, or another value: no string that comes now has the name.
    mutating func forgetName() { name = nil }

    /// Takes a string, without its quotes and as it is written.
    ///
    /// - Returns: whether it leads elsewhere.
    mutating func take(string: Slice<UnsafeRawBufferPointer>) -> Bool {
        defer {
            last = string
            name = nil
        }
        guard let name else { return false }
        switch name.count {
        case 4 where name.elementsEqual("type".utf8):
            return string.elementsEqual("url".utf8) || string.contains(UInt8(ascii: "\\"))
        case 7 where name.elementsEqual("file_id".utf8), 8 where name.elementsEqual("file_url".utf8): return true
        case 9 where name.elementsEqual("image_url".utf8): return !string.starts(with: "data:".utf8)
        case 3 where isOfPicture && name.elementsEqual("url".utf8): return !string.starts(with: "data:".utf8)
        default: return false
        }
    }
}
