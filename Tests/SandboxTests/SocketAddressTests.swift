import Testing

@testable import Sandbox

@Suite("the address of an observed call")
struct SocketAddressTests {
    private static func internet(_ octets: [UInt8], port: UInt16 = 443) -> [UInt8] {
        let ports = [UInt8(port >> 8), UInt8(port & 0xFF)]
        return octets.count == 4
            ? [2, 0] + ports + octets + [0, 0, 0, 0, 0, 0, 0, 0]
            : [10, 0] + ports + [0, 0, 0, 0] + octets + [0, 0, 0, 0]
    }

    private static func six(_ ends: [UInt8]) -> [UInt8] { Array(repeating: 0, count: 16 - ends.count) + ends }

    struct Place: Sendable, CustomStringConvertible {
        let octets: [UInt8]
        let text: String
        let isInside: Bool
        var description: String { text }
    }

    static let places = [
        Place(octets: [127, 0, 0, 1], text: "127.0.0.1:443", isInside: true),
        Place(octets: [127, 255, 0, 9], text: "127.255.0.9:443", isInside: true),
        Place(octets: [0, 0, 0, 0], text: "0.0.0.0:443", isInside: true),
        Place(octets: [128, 0, 0, 1], text: "128.0.0.1:443", isInside: false),
        Place(octets: [0, 0, 0, 1], text: "0.0.0.1:443", isInside: false),
        Place(octets: [203, 0, 113, 9], text: "203.0.113.9:443", isInside: false),
        Place(octets: six([1]), text: "[::1]:443", isInside: true),
        Place(octets: six([0]), text: "[::]:443", isInside: true),
        Place(octets: six([2]), text: "[::2]:443", isInside: false),
        Place(octets: six([0xFF, 0xFF, 127, 0, 0, 1]), text: "[::ffff:127.0.0.1]:443", isInside: true),
        Place(octets: six([0xFF, 0xFF, 10, 0, 0, 1]), text: "[::ffff:10.0.0.1]:443", isInside: false),
        Place(octets: [0xFE, 0x80] + Array(repeating: 0, count: 13) + [1], text: "[fe80::1]:443", isInside: false),
    ]

    @Test(arguments: places) func internetAddresses(_ place: Place) {
        let address = SocketAddress(Self.internet(place.octets))
        #expect(address == .internet(text: place.text, isInside: place.isInside, port: 443, octets: place.octets))
    }

    @Test func localNames() {
        #expect(SocketAddress([1, 0] + Array("/run/x\0rest".utf8)) == .path(Array("/run/x".utf8)))
        #expect(SocketAddress([1, 0, 0] + Array("name".utf8)) == .abstract(Array("name".utf8)))
        #expect(SocketAddress([1, 0]) == nil, "an unnamed socket is no destination")
    }

    @Test func whatIsNoAddress() {
        #expect(SocketAddress([]) == nil)
        #expect(SocketAddress([2]) == nil)
        #expect(SocketAddress([0, 0, 1, 2, 3, 4, 5, 6]) == nil, "this family dissolves a connection")
        #expect(SocketAddress(Array(Self.internet([1, 2, 3, 4]).prefix(7))) == nil)
        #expect(SocketAddress(Array(Self.internet(Self.six([1])).prefix(23))) == nil)
        #expect(SocketAddress([40, 0, 1, 1]) == .family(40))
        for family in UInt8(0)...64 {
            for length in 0...40 {
                let bytes = [family, 0] + [UInt8](repeating: 0xFF, count: length)
                _ = SocketAddress(bytes)
            }
        }
    }
}
