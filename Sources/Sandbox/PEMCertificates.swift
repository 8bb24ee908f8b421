import Glibc

/// Reads certificates in PEM form: a short decoder of our own, since this is on the way of every start with a network.
enum PEMCertificates {
    private static let begin = Array("-----BEGIN CERTIFICATE-----".utf8)
    private static let end = Array("-----END CERTIFICATE-----".utf8)

    /// The certificates of a text in DER form, in its order. What is no certificate by its outer form is left out: one
    /// bad entry would make readers of a whole store give up.
    static func decode(_ text: String) -> [[UInt8]] {
        var text = text
        return text.withUTF8 { bytes in
            var found: [[UInt8]] = []
            var start = 0
            while let label = search(begin, in: bytes, from: start) {
                let body = label + begin.count
                guard let stop = search(end, in: bytes, from: body) else { break }
                start = stop + end.count
                let content = UnsafeBufferPointer(rebasing: bytes[body..<stop])
                if let certificate = base64(content), isSequence(certificate) { found.append(certificate) }
            }
            return found
        }
    }

    /// Where a label begins, which stands at the start of a line.
    private static func search(_ label: [UInt8], in bytes: UnsafeBufferPointer<UInt8>, from start: Int) -> Int? {
        var index = start
        while index + label.count <= bytes.count {
            guard let dash = memchr(bytes, UInt8(ascii: "-"), from: index) else { return nil }
            index = dash
            let isLine = index == 0 || bytes[index - 1] == UInt8(ascii: "\n") || bytes[index - 1] == UInt8(ascii: "\r")
            if isLine, index + label.count <= bytes.count, bytes[index..<index + label.count].elementsEqual(label) {
                return index
            }
            index += 1
        }
        return nil
    }

    private static func memchr(_ bytes: UnsafeBufferPointer<UInt8>, _ byte: UInt8, from start: Int) -> Int? {
        guard let base = bytes.baseAddress, let found = Glibc.memchr(base + start, Int32(byte), bytes.count - start)
        else { return nil }
        return UnsafeRawPointer(found) - UnsafeRawPointer(base)
    }

    /// Base64 with line ends and blanks in it; nil for any other character, or where something is missing.
    private static func base64(_ text: UnsafeBufferPointer<UInt8>) -> [UInt8]? {
        let decoded = [UInt8](unsafeUninitializedCapacity: text.count / 4 * 3 + 3) { output, count in
            count = digitValues.withUnsafeBufferPointer { decode(text, into: output, $0) } ?? 0
        }
        return decoded.isEmpty ? nil : decoded
    }

    private static func decode(
        _ text: UnsafeBufferPointer<UInt8>,
        into output: UnsafeMutableBufferPointer<UInt8>,
        _ values: UnsafeBufferPointer<UInt8>
    ) -> Int? {
        var count = 0
        var word: UInt32 = 0
        var digits = 0
        var padding = 0
        var index = 0
        while index < text.count {
            // Nearly all of a text is four digits in a row.
            if digits == 0, padding == 0, index + 4 <= text.count {
                let a = values[Int(text[index])]
                let b = values[Int(text[index + 1])]
                let c = values[Int(text[index + 2])]
                let d = values[Int(text[index + 3])]
                if a | b | c | d < 64 {
                    word = UInt32(a) << 18 | UInt32(b) << 12 | UInt32(c) << 6 | UInt32(d)
                    count = append(word, to: output, at: count)
                    index += 4
                    continue
                }
            }
            let value = values[Int(text[index])]
            index += 1
            if value == blank { continue }
            guard value < 64 && padding == 0 || value == pad else { return nil }
            if value == pad { padding += 1 }
            word = word << 6 | UInt32(value & 63)
            digits = (digits + 1) % 4
            if digits == 0 { count = append(word, to: output, at: count) }
        }
        return digits == 0 && padding <= 2 ? max(0, count - padding) : nil
    }

    /// Adds the low three bytes of a word; returns the new count.
    private static func append(_ word: UInt32, to output: UnsafeMutableBufferPointer<UInt8>, at count: Int) -> Int {
        output[count] = UInt8(truncatingIfNeeded: word >> 16)
        output[count + 1] = UInt8(truncatingIfNeeded: word >> 8)
        output[count + 2] = UInt8(truncatingIfNeeded: word)
        return count + 3
    }

    /// True for one ASN.1 SEQUENCE of definite length and nothing behind it: the outer form of a certificate.
    private static func isSequence(_ bytes: [UInt8]) -> Bool {
        guard bytes.count > 4, bytes[0] == 0x30 else { return false }
        let first = Int(bytes[1])
        guard first >= 0x80 else { return first == bytes.count - 2 }
        let lengthBytes = first - 0x80
        guard (1...3).contains(lengthBytes) else { return false }
        let length = bytes[2..<2 + lengthBytes].reduce(0) { $0 << 8 | Int($1) }
        return length == bytes.count - 2 - lengthBytes
    }

    private static let blank: UInt8 = 254
    /// Its low six bits are 0, as is what it stands for.
    private static let pad: UInt8 = 128
    private static let digitValues: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 256)
        let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
        for (value, digit) in alphabet.utf8.enumerated() { values[Int(digit)] = UInt8(value) }
        for byte in " \t\r\n".utf8 { values[Int(byte)] = blank }
        values[Int(UInt8(ascii: "="))] = pad
        return values
    }()
}
