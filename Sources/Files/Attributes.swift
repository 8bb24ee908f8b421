import CLinux
import Glibc

extension Descriptor {
    /// The kernel's limit for one attribute's value and for a list of names (XATTR_SIZE_MAX, XATTR_LIST_MAX).
    private static var attributeBytesMax: Int { 65_536 }

    /// The names of the file's extended attributes; none where the file system has no such thing.
    package func attributeNames() throws(SystemError) -> [[UInt8]] {
        let size = bailey_flistxattr(raw, nil, 0)
        if size == 0 || (size < 0 && errno == EOPNOTSUPP) { return [] }
        _ = try SystemError.check("flistxattr", size)
        var list = [CChar](repeating: 0, count: Self.attributeBytesMax)
        let count = try SystemError.check("flistxattr", bailey_flistxattr(raw, &list, list.count))
        return list[..<count].split(separator: 0).map { $0.map(UInt8.init(bitPattern:)) }
    }

    /// An extended attribute's value; nil if there is none.
    package func attribute(_ name: [UInt8]) throws(SystemError) -> [UInt8]? {
        var small = [UInt8](repeating: 0, count: 64)
        var count = Directory.withPath(name) { bailey_fgetxattr(raw, $0, &small, small.count) }
        if count < 0, errno == ERANGE {
            small = [UInt8](repeating: 0, count: Self.attributeBytesMax)
            count = Directory.withPath(name) { bailey_fgetxattr(raw, $0, &small, small.count) }
        }
        if count < 0, errno == ENODATA || errno == EOPNOTSUPP { return nil }
        return Array(small[..<(try SystemError.check("fgetxattr", count))])
    }

    package func removeAttribute(_ name: [UInt8]) throws(SystemError) {
        let code = Directory.withPath(name) { bailey_fremovexattr(raw, $0) }
        if code < 0, errno == ENODATA { return }
        _ = try SystemError.check("fremovexattr", code)
    }
}
