/// Index files made by hand, as git would not write them. The checksum is left zero, which git allows.
struct IndexBytes {
    var version: UInt32 = 2
    var paths: [[UInt8]]
    var mode: UInt32 = 0o100644
    var count: UInt32?
    var trailer: [UInt8] = []

    func data() -> [UInt8] {
        var bytes = Array("DIRC".utf8) + number(version) + number(count ?? UInt32(paths.count))
        for path in paths {
            let start = bytes.count
            bytes += [UInt8](repeating: 0, count: 24) + number(mode) + [UInt8](repeating: 0, count: 12)
            bytes += [UInt8](repeating: 0xAB, count: 20)
            let length = min(path.count, 0xFFF)
            bytes += [UInt8(length >> 8), UInt8(length & 0xFF)] + path
            bytes += [UInt8](repeating: 0, count: 8 - (bytes.count - start) % 8)
        }
        return bytes + trailer + [UInt8](repeating: 0, count: 20)
    }

    private func number(_ value: UInt32) -> [UInt8] {
        [UInt8(value >> 24), UInt8(value >> 16 & 0xFF), UInt8(value >> 8 & 0xFF), UInt8(value & 0xFF)]
    }
}
