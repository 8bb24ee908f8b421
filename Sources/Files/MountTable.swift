import Glibc

/// What is mounted where, as the kernel lists it for this process. A device number does not tell: what is bound to a
/// second place keeps its own.
package struct MountTable {
    private enum Limits {
        /// Some 100,000 mounts.
        static let bytesMax = 32 << 20
    }

    private struct Mount {
        let number: UInt64
        let parent: UInt64
        /// Below the directory that was asked about.
        let place: [UInt8]
    }

    private let content: [UInt8]

    package init() throws(SystemError) {
        content = try FileContent.read(trustedPath: "/proc/self/mountinfo", bytesMax: Limits.bytesMax)
    }

    /// Paths below a directory at which something is mounted, a directory or a file, each once.
    package func places(below directory: borrowing Directory) throws(SystemError) -> Set<[UInt8]> {
        let descriptors = try Directory(trustedPath: "/proc/self/fd")
        let path = try descriptors.linkTarget(Array("\(directory.raw)".utf8))
        var waiting = mounts(below: path.last == UInt8(ascii: "/") ? path : path + [UInt8(ascii: "/")])
        if waiting.isEmpty { return [] }
        // A mount that another one covers is listed as well, and shows nowhere.
        var visible: Set<UInt64> = [try Self.mountNumber(of: directory)]
        var places: Set<[UInt8]> = []
        while true {
            let found = waiting.filter { visible.contains($0.parent) }
            if found.isEmpty { return places }
            visible.formUnion(found.map(\.number))
            places.formUnion(found.map(\.place))
            waiting.removeAll { visible.contains($0.number) }
        }
    }

    /// - Parameter prefix: ends in a slash.
    private func mounts(below prefix: [UInt8]) -> [Mount] {
        content.split(separator: UInt8(ascii: "\n")).compactMap { line in
            let fields = line.split(separator: UInt8(ascii: " "), maxSplits: 5)
            guard fields.count > 5, let number = Self.number(fields[0]), let parent = Self.number(fields[1]) else {
                return nil
            }
            let point = Self.unescaped(fields[4])
            guard point.count > prefix.count, point.starts(with: prefix) else { return nil }
            return Mount(number: number, parent: parent, place: Array(point.dropFirst(prefix.count)))
        }
    }

    private static func mountNumber(of directory: borrowing Directory) throws(SystemError) -> UInt64 {
        let path = "/proc/self/fdinfo/\(directory.raw)"
        let content = try FileContent.read(trustedPath: path, bytesMax: Limits.bytesMax)
        let key = Array("mnt_id:".utf8)
        for line in content.split(separator: UInt8(ascii: "\n")) where line.starts(with: key) {
            let value = line.dropFirst(key.count).drop { $0 == UInt8(ascii: "\t") || $0 == UInt8(ascii: " ") }
            if let number = number(value) { return number }
        }
        throw SystemError("find the mount", code: ENODATA, path: path)
    }

    private static func number(_ text: ArraySlice<UInt8>) -> UInt64? { UInt64(String(decoding: text, as: UTF8.self)) }

    /// The kernel writes blanks, line ends and backslashes as a backslash and three octal digits.
    private static func unescaped(_ text: ArraySlice<UInt8>) -> [UInt8] {
        guard text.contains(UInt8(ascii: "\\")) else { return Array(text) }
        var bytes: [UInt8] = []
        var rest = text
        while let byte = rest.popFirst() {
            let digits = rest.prefix(3)
            if byte == UInt8(ascii: "\\"), digits.count == 3,
                let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 8)
            {
                bytes.append(value)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return bytes
    }
}
