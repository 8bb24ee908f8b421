import Glibc

/// A path followed as the kernel would follow it. Whoever changes a place on the way changes where it ends.
package struct LinkChain {
    private enum Limits {
        /// The kernel follows 40 links and no more.
        static let linksMax = 40
        /// PATH_MAX.
        static let pathBytesMax = 4096
    }

    /// Absolute paths of links that were followed, and of directories that `..` left: a link put there would lead
    /// elsewhere.
    package private(set) var passed: [[UInt8]] = []
    /// The absolute path without links; what is not there is taken as it is written. Nil for links that have no end:
    /// the kernel does not follow them either, but each was passed.
    package private(set) var end: [UInt8]?

    /// - Parameter path: absolute.
    package init(_ path: [UInt8]) {
        var waiting = Array(Self.names(path).reversed())
        var done: [[UInt8]] = []
        var linksLeft = Limits.linksMax
        while let name = waiting.popLast() {
            if name == Array("..".utf8) {
                if !done.isEmpty { passed.append(Self.path(done)) }
                _ = done.popLast()
                continue
            }
            let candidate = Self.path(done + [name])
            guard let target = Self.target(candidate) else {
                done.append(name)
                continue
            }
            passed.append(candidate)
            guard linksLeft > 0 else { return }
            linksLeft -= 1
            if target.first == UInt8(ascii: "/") { done = [] }
            waiting += Self.names(target).reversed()
        }
        end = Self.path(done)
    }

    private static func names(_ path: [UInt8]) -> [[UInt8]] {
        path.split(separator: UInt8(ascii: "/")).map { Array($0) }.filter { $0 != [UInt8(ascii: ".")] }
    }

    private static func path(_ names: [[UInt8]]) -> [UInt8] {
        [UInt8(ascii: "/")] + names.joined(separator: [UInt8(ascii: "/")])
    }

    /// Nil for what is no link, or nothing at all.
    private static func target(_ path: [UInt8]) -> [UInt8]? {
        var buffer = [CChar](repeating: 0, count: Limits.pathBytesMax)
        let count = (path + [0]).withUnsafeBufferPointer { bytes in
            bytes.withMemoryRebound(to: CChar.self) { pointer in
                pointer.baseAddress.map { readlink($0, &buffer, buffer.count) } ?? -1
            }
        }
        return count < 0 ? nil : buffer[..<count].map { UInt8(bitPattern: $0) }
    }
}
