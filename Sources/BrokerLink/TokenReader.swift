package import Domain

/// Reads an object in JSON in which tokens stand, without a copy of one anywhere but in pages of its own.
package struct TokenReader {
    private let bytes: UnsafeRawBufferPointer
    private let members: MemberPlaces
    private let locking: SecretPages.Locking

    package init(_ bytes: UnsafeRawBufferPointer, _ locking: SecretPages.Locking) throws(JSONError) {
        try self.init(bytes, in: 0..<bytes.count, locking)
    }

    private init(
        _ bytes: UnsafeRawBufferPointer,
        in range: Range<Int>,
        _ locking: SecretPages.Locking
    ) throws(JSONError) {
        self.bytes = bytes
        self.locking = locking
        members = try MemberPlaces(bytes, range)
    }

    /// Where a member's value lies.
    func place(_ name: String) -> Range<Int>? { members[name] }

    /// Behind the brace that opens the object.
    var start: Int { members.start }

    /// A member that is an object; nil where there is none.
    func object(_ name: String) throws(JSONError) -> TokenReader? {
        guard let range = members[name], bytes[range.lowerBound] == UInt8(ascii: "{") else { return nil }
        return try TokenReader(bytes, in: range, locking)
    }

    /// A member that is no secret; nil for what is no JSON.
    package func value(_ name: String) -> JSONValue? {
        members[name].flatMap { range in try? JSONParser.parse(bytes[range]) }
    }

    /// A token; nil where there is no text, or an empty one.
    ///
    /// - Throws: for another text.
    package func token(_ name: String) throws(LinkError) -> SecretText? {
        guard let range = members[name], bytes[range.lowerBound] == UInt8(ascii: "\""), range.count > 2 else {
            return nil
        }
        var buffer = try SecretBuffer(bytesMax: range.count, locking)
        let inner = UnsafeRawBufferPointer(rebasing: bytes[range.lowerBound + 1..<range.upperBound - 1])
        buffer.advance(Self.unescape(inner, to: buffer.free))
        guard LoginTokens.isToken(buffer.bytes) else { throw LinkError("its tokens are none") }
        return try SecretText(buffer.bytes, locking)
    }

    /// Writes the text of a JSON string; for what no token holds it writes a space.
    ///
    /// - Returns: how many bytes.
    private static func unescape(_ text: UnsafeRawBufferPointer, to output: UnsafeMutableRawBufferPointer) -> Int {
        var index = 0
        var count = 0
        while index < text.count {
            var byte = text[index]
            index += 1
            if byte == UInt8(ascii: "\\"), index < text.count {
                byte = text[index]
                index += 1
                switch byte {
                case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): break
                case UInt8(ascii: "u"):
                    byte = code(text[index...].prefix(4))
                    index += 4
                default: byte = 0x20
                }
            }
            output[count] = byte
            count += 1
        }
        return count
    }

    /// An ASCII character by its four hexadecimal digits.
    private static func code(_ digits: Slice<UnsafeRawBufferPointer>) -> UInt8 {
        var code = 0
        for digit in digits {
            guard let value = Character(Unicode.Scalar(digit)).hexDigitValue, digit < 0x80 else { return 0x20 }
            code = code << 4 | value
        }
        return digits.count == 4 ? UInt8(exactly: code) ?? 0x20 : 0x20
    }
}
