import BrokerLink
import Glibc
import Testing

@Suite("the link carries whole messages and one descriptor")
struct PacketLinkTests {
    private func packet(_ arrival: PacketLink.Arrival) throws -> PacketLink.Packet {
        guard case .packet(let packet) = arrival else { throw LinkError("no message came") }
        return packet
    }

    @Test func aMessageAndADescriptorArrive() throws {
        let (ours, theirs) = try PacketLink.pair()
        let memory = try SealedMemory.make([1, 2, 3])
        defer { close(memory) }
        guard case .sent = try ours.send([7, 8], descriptor: memory) else { throw LinkError("nothing was sent") }
        let packet = try packet(try theirs.receive(bytesMax: 16, waits: true))
        defer { close(packet.descriptor) }
        #expect(packet.bytes == [7, 8])
        #expect(try SealedMemory.read(packet.descriptor, bytesMax: 3) == [1, 2, 3])
        #expect(throws: LinkError.self) { try SealedMemory.read(packet.descriptor, bytesMax: 2) }
        guard case .nothing = try theirs.receive(bytesMax: 16, waits: false) else { throw LinkError("a second one") }
    }

    @Test func anEndIsHeardBehindWhatWasSaidWhileTheOtherEndLives() throws {
        let (ours, theirs) = try PacketLink.pair()
        guard case .sent = try theirs.send([1, 2, 3]) else { return #expect(Bool(false), "it was not sent") }
        theirs.sayEnd()
        guard case .packet(let packet) = try ours.receive(bytesMax: 16, waits: false) else {
            return #expect(Bool(false), "nothing came")
        }
        #expect(packet.bytes == [1, 2, 3])
        guard case .end = try ours.receive(bytesMax: 16, waits: false) else {
            return #expect(Bool(false), "no end came")
        }
        withExtendedLifetime(theirs) {}
    }

    @Test func whatIsLongerThanAllowedIsRefused() throws {
        let (ours, theirs) = try PacketLink.pair()
        _ = try ours.send([UInt8](repeating: 1, count: 17))
        #expect(throws: LinkError.self) { _ = try theirs.receive(bytesMax: 16, waits: true) }
    }

    @Test func memoryThatCanStillChangeIsRefused() throws {
        var ends: [Int32] = [-1, -1]
        #expect(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        #expect(throws: LinkError.self) { try SealedMemory.read(ends[0], bytesMax: 16) }
        #expect(throws: LinkError.self) { try SealedMemory.read(-1, bytesMax: 16) }
    }

    @Test func aFullLinkSaysSoAndAnEndIsSeen() throws {
        let (ours, theirs) = try PacketLink.pair()
        var count = 0
        filling: while count < 100_000 {
            switch try ours.send([UInt8](repeating: 0, count: 1024), waits: false) {
            case .sent: count += 1
            case .full: break filling
            case .end: throw LinkError("the other end is gone")
            }
        }
        #expect((1..<100_000).contains(count))
        shutdown(ours.descriptor, Int32(SHUT_RDWR))
        var seen = 0
        while case .packet = try theirs.receive(bytesMax: 2048, waits: true) { seen += 1 }
        #expect(seen == count)
        guard case .end = try theirs.send([1]) else { throw LinkError("a dead link takes messages") }
    }
}
