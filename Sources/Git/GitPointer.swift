import Files

/// Small files by which git names other directories, read by absolute path as the user would read them.
package enum GitPointer {
    /// PATH_MAX and the words before the path.
    static let bytesMax = 4200

    /// The directory that a `.git` file names; nil for no such file or one that names none.
    package static func gitDirectory(namedBy content: [UInt8], in worktree: String) -> String? {
        let prefix = Array("gitdir:".utf8)
        guard content.starts(with: prefix), let path = line(Array(content.dropFirst(prefix.count))) else { return nil }
        return resolve(path, from: worktree)
    }

    /// The path in a file that holds nothing else (`commondir`, `gitdir`).
    package static func line(_ content: [UInt8]) -> String? {
        var text = content[...]
        while let last = text.last, last == UInt8(ascii: "\n") || last == UInt8(ascii: "\r") { text.removeLast() }
        while let first = text.first, first == UInt8(ascii: " ") { text.removeFirst() }
        guard !text.isEmpty, !text.contains(0), !text.contains(UInt8(ascii: "\n")) else { return nil }
        return String(validating: text, as: UTF8.self)
    }

    /// An absolute path without `.` and `..`, by its text alone.
    package static func resolve(_ path: String, from base: String) -> String {
        let full = path.hasPrefix("/") ? path : base + "/" + path
        var names: [Substring] = []
        for name in full.split(separator: "/") where name != "." {
            if name == ".." { _ = names.popLast() } else { names.append(name) }
        }
        return "/" + names.joined(separator: "/")
    }

    /// As ``resolve(_:from:)``, of an absolute path's bytes.
    static func withoutDots(_ path: [UInt8]) -> [UInt8] {
        var names: [ArraySlice<UInt8>] = []
        for name in path.split(separator: UInt8(ascii: "/")) where !name.elementsEqual(".".utf8) {
            if name.elementsEqual("..".utf8) { _ = names.popLast() } else { names.append(name) }
        }
        return [UInt8(ascii: "/")] + names.joined(separator: [UInt8(ascii: "/")])
    }

    /// A regular file's content by absolute path; nil if there is none, or none that may be read.
    static func read(_ path: String, bytesMax: Int = bytesMax) -> [UInt8]? {
        guard let (parent, name) = divided(path), let directory = try? Directory(trustedPath: parent),
            let status = try? directory.status(name), status.kind == .file
        else { return nil }
        return try? FileContent.read(name, in: directory, bytesMax: bytesMax)
    }

    /// What `lstat` tells of a regular file; nil if there is none.
    static func status(_ path: String) -> FileStatus? {
        guard let (parent, name) = divided(path), let directory = try? Directory(trustedPath: parent),
            let status = try? directory.status(name), status.kind == .file
        else { return nil }
        return status
    }

    private static func divided(_ path: String) -> (parent: String, name: [UInt8])? {
        guard let slash = path.lastIndex(of: "/") else { return nil }
        let name = Array(path[path.index(after: slash)...].utf8)
        return name.isEmpty ? nil : (path[..<slash].isEmpty ? "/" : String(path[..<slash]), name)
    }
}
