import Broker
import NIOCore
import Testing

@Suite("what waits of a connection's HTTP/2 bodies is counted, and empty frames are")
struct HTTP2MeterTests {
    private static let now = NIODeadline.uptimeNanoseconds(1 << 40)

    private func frame(_ kind: UInt8, _ flags: UInt8, _ stream: UInt8, _ payload: [UInt8] = []) -> [UInt8] {
        [0, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF), kind, flags, 0, 0, 0, stream] + payload
    }

    private func scan(_ meter: inout HTTP2Meter, _ bytes: [UInt8], at now: NIODeadline = now) throws {
        try meter.scan(ByteBuffer(bytes: bytes), now: now)
    }

    @Test func bodiesCountUntilTheyAreTaken() throws {
        var meter = HTTP2Meter(hasPreface: false)
        meter.open(1)
        try scan(&meter, frame(1, 4, 1, [0x88]) + frame(0, 0, 1, [UInt8](repeating: 7, count: 1000)))
        #expect(meter.cost == 1256)
        // Padding is no part of it, and another stream's bytes are nobody's.
        try scan(&meter, frame(0, 8, 1, [2, 1, 1, 1, 0, 0]) + frame(0, 0, 3, [1, 2, 3]))
        #expect(meter.cost == 1003 + 512)
        meter.take(1, bytes: 1000)
        #expect(meter.cost == 3 + 512)
        meter.take(1, bytes: 3)
        #expect(meter.cost == 0)
        try scan(&meter, frame(0, 0, 1, [1]))
        meter.close(1)
        #expect(meter.cost == 0)
    }

    @Test func smallFramesCostMoreThanTheirBytes() throws {
        var meter = HTTP2Meter(hasPreface: true)
        meter.open(1)
        try scan(&meter, Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8))
        for _ in 0..<1000 { try scan(&meter, frame(0, 0, 1, [1])) }
        #expect(meter.cost == 257_000)
    }

    @Test func emptyFramesAreCountedForASecond() throws {
        var meter = HTTP2Meter(hasPreface: false)
        let many = (0..<15_000).flatMap { _ in frame(8, 0, 0, [0, 0, 0, 1]) }
        try scan(&meter, many)
        try scan(&meter, many, at: Self.now + .seconds(1))
        #expect(throws: HTTPRefusal.self) { try scan(&meter, many, at: Self.now + .milliseconds(1500)) }
        let empty = (0..<21_000).flatMap { _ in frame(0, 0, 1) }
        var other = HTTP2Meter(hasPreface: false)
        #expect(throws: HTTPRefusal.self) { try scan(&other, empty) }
    }
}
