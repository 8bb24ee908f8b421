/// A ClientHello, byte by byte, as a client would write it or as no client should.
struct HelloBytes {
    /// Server names: the type and the name.
    var names: [(type: UInt8, name: String)] = []
    var protocols: [String] = []
    /// Further extensions.
    var extensions: [(type: UInt16, value: [UInt8])] = []
    /// Bytes a record; nil for one record.
    var recordBytes: Int?
    /// Written behind the message within its last record.
    var trailing: [UInt8] = []

    init(_ name: String? = nil) { if let name { names = [(0, name)] } }

    var message: [UInt8] {
        var list: [UInt8] = []
        if !names.isEmpty {
            list += Self.field(0, Self.vector(names.flatMap { [$0.type] + Self.vector(Array($0.name.utf8)) }))
        }
        if !protocols.isEmpty {
            list += Self.field(16, Self.vector(protocols.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) }))
        }
        for one in extensions { list += Self.field(one.type, one.value) }
        let body =
            [3, 3] + [UInt8](repeating: 7, count: 32) + [0] + Self.vector([0x13, 1]) + [1, 0] + Self.vector(list)
        return [1, 0, UInt8(body.count >> 8), UInt8(body.count & 255)] + body
    }

    var stream: [UInt8] {
        var rest = (message + trailing)[...]
        let size = recordBytes ?? rest.count
        var stream: [UInt8] = []
        while !rest.isEmpty {
            let part = rest.prefix(size)
            stream += [0x16, 3, 1, UInt8(part.count >> 8), UInt8(part.count & 255)] + part
            rest = rest.dropFirst(part.count)
        }
        return stream
    }

    /// A server's first record: a ServerHello, or the wish for another ClientHello.
    static func answer(isRetry: Bool) -> [UInt8] {
        let retry: [UInt8] = [
            0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91,
            0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
        ]
        let body = [3, 3] + (isRetry ? retry : [UInt8](repeating: 9, count: 32)) + [0, 0x13, 1, 0]
        return [0x16, 3, 3, 0, UInt8(body.count + 4), 2, 0, 0, UInt8(body.count)] + body
    }

    private static func vector(_ bytes: [UInt8]) -> [UInt8] {
        [UInt8(bytes.count >> 8), UInt8(bytes.count & 255)] + bytes
    }

    private static func field(_ type: UInt16, _ value: [UInt8]) -> [UInt8] {
        [UInt8(type >> 8), UInt8(type & 255)] + vector(value)
    }
}
