import CLinux
import Glibc

extension Directory {
    /// Bytes of entries that the kernel is asked for at once: some thousand names.
    private static var listingBytes: Int { 1 << 15 }

    /// All entries but `.` and `..`, in no order. Stops with EOVERFLOW beyond `entriesMax`, and with EACCES also where
    /// the names could be read but nothing could be said of what bears them.
    ///
    /// The position in the directory belongs to its descriptor: two threads do not list one descriptor at once.
    package func entries(atMost entriesMax: Int = .max) throws(SystemError) -> [Entry] {
        _ = try status(Array(".".utf8))
        _ = try SystemError.check("lseek", lseek(raw, 0, SEEK_SET))
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.listingBytes, alignment: 8)
        defer { buffer.deallocate() }
        var found: [Entry] = []
        while true {
            let count = try SystemError.check("readdir", bailey_getdents(raw, buffer.baseAddress, buffer.count))
            if count == 0 { return found }
            try Self.add(UnsafeRawBufferPointer(rebasing: buffer[..<count]), to: &found, atMost: entriesMax)
        }
    }

    /// Where the parts of one entry lie, as in linux_dirent64: inode and offset, eight bytes each, come first.
    private enum Layout {
        static let length = 16
        static let type = 18
        static let name = 19
    }

    private static func add(
        _ listing: UnsafeRawBufferPointer,
        to found: inout [Entry],
        atMost entriesMax: Int
    ) throws(SystemError) {
        var start = 0
        while start + Layout.name < listing.count {
            let length = Int(listing.loadUnaligned(fromByteOffset: start + Layout.length, as: UInt16.self))
            guard length > Layout.name, start + length <= listing.count else {
                throw SystemError("readdir", code: EIO)
            }
            let entry = UnsafeRawBufferPointer(rebasing: listing[start..<start + length])
            start += length
            let name = Array(entry[Layout.name...].prefix { $0 != 0 })
            if name == [0x2E] || name == [0x2E, 0x2E] { continue }
            guard found.count < entriesMax else { throw SystemError("readdir", code: EOVERFLOW) }
            found.append(Entry(name: name, kind: kind(of: entry[Layout.type])))
        }
    }

    private static func kind(of type: UInt8) -> FileStatus.Kind? {
        switch Int(type) {
        case Int(DT_REG): .file
        case Int(DT_DIR): .directory
        case Int(DT_LNK): .symlink
        case Int(DT_FIFO): .fifo
        case Int(DT_SOCK): .socket
        case Int(DT_CHR): .characterDevice
        case Int(DT_BLK): .blockDevice
        default: nil
        }
    }
}
