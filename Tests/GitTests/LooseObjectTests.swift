import Domain
import Files
import Foundation
import Glibc
import TestSupport
import Testing

@testable import Git

@Suite("a loose object is what its name says")
struct LooseObjectTests {
    /// A zlib stream of stored blocks.
    private func zlib(_ content: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = [0x78, 0x01]
        var rest = content[...]
        repeat {
            let block = rest.prefix(65_535)
            rest = rest.dropFirst(block.count)
            let count = UInt16(block.count)
            bytes += [
                rest.isEmpty ? 1 : 0, UInt8(count & 0xFF), UInt8(count >> 8), UInt8(~count & 0xFF), UInt8(~count >> 8),
            ]
            bytes += block
        } while !rest.isEmpty
        var low: UInt32 = 1
        var high: UInt32 = 0
        for byte in content {
            low = (low + UInt32(byte)) % 65521
            high = (high + low) % 65521
        }
        return bytes + [UInt8(high >> 8), UInt8(high & 0xFF), UInt8(low >> 8), UInt8(low & 0xFF)]
    }

    private func name(_ content: [UInt8]) -> [UInt8] {
        var hasher = ObjectHasher(.sha1)
        hasher.update(content)
        return HexText.encode(hasher.finish())
    }

    /// The flaw that verification finds; nil if it finds none.
    private func flaw(_ file: [UInt8], name: [UInt8], budget: Int = 1 << 30) throws -> String? {
        let directory = try TemporaryDirectory("bailey-object")
        try Data(file).write(to: URL(fileURLWithPath: directory.path + "/object"))
        let descriptor = try Directory(trustedPath: directory.path).open(Array("object".utf8), flags: O_RDONLY)
        var left = budget
        do {
            try LooseObject.verify(descriptor, name: name, format: .sha1, budget: &left)
            return nil
        } catch let flaw as LooseObject.Flaw {
            return flaw.reason
        }
    }

    private func object(_ header: String, _ content: [UInt8]) -> [UInt8] { Array(header.utf8) + [0] + content }

    @Test(arguments: [0, 1, 1000, 65_536, 200_000])
    func verifies(_ size: Int) throws {
        let whole = object("blob \(size)", [UInt8](repeating: 0x61, count: size))
        #expect(try flaw(zlib(whole), name: name(whole)) == nil)
    }

    @Test func refuses() throws {
        let whole = object("blob 3", Array("abc".utf8))
        let good = name(whole)
        #expect(try flaw(zlib(whole) + [0], name: good) == "there are bytes behind its end")
        #expect(try flaw(zlib(whole) + zlib(whole), name: good) == "there are bytes behind its end")
        #expect(try flaw(zlib(whole).dropLast(), name: good) == "its zlib stream does not end")
        #expect(try flaw([], name: good) == "its zlib stream does not end")
        #expect(try flaw(Array("text".utf8), name: good) == "it is no zlib stream")
        #expect(try flaw(zlib(whole), name: name([1])) == "its content does not hash to its name")
        for (header, content) in [("blob 2", "abc"), ("blob 0", "abc")] {
            let wrong = object(header, Array(content.utf8))
            #expect(try flaw(zlib(wrong), name: name(wrong)) == "it is longer than its header says")
        }
        let short = object("blob 4", Array("abc".utf8))
        #expect(try flaw(zlib(short), name: name(short)) == "it is shorter than its header says")
        for header in [
            "blob", "blob 03", "blob -3", "blob +3", "blob 3 ", "Blob 3", "evil 3", " 3", "blob 3x", "blob  3",
        ] {
            let wrong = object(header, Array("abc".utf8))
            #expect(try flaw(zlib(wrong), name: name(wrong)) == "its header is not `type size`", "\(header)")
        }
        let long = [UInt8](repeating: 0x61, count: 100)
        #expect(try flaw(zlib(long), name: name(long)) == "its header is too long")
        let huge = object("blob 99999999999", Array("abc".utf8))
        #expect(try flaw(zlib(huge), name: name(huge)) == "it is larger than is looked at")
    }

    @Test("a bomb is stopped by what its header says, or by the budget")
    func bomb() throws {
        let fixture = try GitFixture(empty: true)
        try fixture.git(["init", "-q"], in: fixture.lower)
        try fixture.run(["sh", "-c", "head -c 20000000 /dev/zero > zeros"], in: fixture.lower)
        let hex = String(try fixture.git(["hash-object", "-w", "zeros"], in: fixture.lower).prefix(40))
        let path = fixture.lower + "/.git/objects/\(hex.prefix(2))/\(hex.dropFirst(2))"
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        #expect(bytes.count < 100_000)
        #expect(try flaw(bytes, name: Array(hex.utf8)) == nil)
        #expect(try flaw(bytes, name: Array(hex.utf8), budget: 1_000_000) == "it inflates to more than is looked at")
    }

    @Test("damaged bytes never crash, and never verify")
    func fuzz() throws {
        let whole = object("tree 34", Array("100644 file".utf8) + [0] + [UInt8](repeating: 7, count: 20) + [])
        let good = object("tree 32", Array("100644 file".utf8) + [0] + [UInt8](repeating: 7, count: 20))
        #expect(try flaw(zlib(good), name: name(good)) == nil)
        #expect(try flaw(zlib(whole), name: name(whole)) != nil)
        let stream = zlib(good)
        for index in stream.indices {
            var damaged = stream
            damaged[index] ^= 0x15
            #expect(try flaw(damaged, name: name(good)) != nil, "byte \(index)")
        }
    }
}
