/// What may be named as readable, as far as the text alone tells. Also for the command line.
package enum ReadablePath {
    /// PATH_MAX.
    package static let bytesMax = 4096

    /// A sentence about what a readable path is.
    package static let hint =
        "Write an absolute path without `..`, such as /srv/models; not the root and no control characters."

    /// What is wrong, to follow the path; nil if nothing is.
    package static func problem(_ path: String) -> String? {
        let names = path.utf8.split(separator: UInt8(ascii: "/"))
        if !path.hasPrefix("/") { return "is not an absolute path" }
        if path.utf8.count >= bytesMax { return "is longer than \(bytesMax) bytes" }
        if names.contains(where: { $0.elementsEqual("..".utf8) }) { return "holds `..`" }
        if names.allSatisfy({ $0.elementsEqual(".".utf8) }) { return "is the root, which would show everything" }
        if NameText.isDeceptive(Array(path.utf8)) { return "holds control or invisible characters" }
        return nil
    }
}
