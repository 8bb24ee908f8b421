import Broker
import NIOCore

extension FuzzTarget {
    /// The scan of answers for a secret: in whatever pieces bytes come, the secret never comes out, nor what begins
    /// like it where it is whole, and everything else comes out as it came.
    static let credentialScan = FuzzTarget("credential-scan") {
        [
            [3, 0xFF], [1] + Array("before ".utf8) + [0xFF] + Array(" after".utf8), [5, 0xFE, 0xFE, 0xFF, 0xFE],
            [2] + Array("key=".utf8) + [0xFD] + Array("&".utf8), [7, 0xFC, 0xFF], [0] + Array("nothing".utf8),
        ]
    } prepare: {
        let secret = (0..<40).map { UInt8(ascii: "A") + UInt8($0 * 11 % 26) + ($0 % 3 == 0 ? 32 : 0) }
        let needles = try secret.withUnsafeBytes { try NeedleSet([$0]) }
        let encoded = base64(secret)
        return { bytes in
            guard let first = bytes.first else { return }
            let text = bytes.dropFirst().flatMap { byte in
                switch byte {
                case 0xFF: secret
                case 0xFE: Array(secret.dropLast())
                case 0xFD: encoded
                case 0xFC: Array(secret.prefix(20))
                default: [byte]
                }
            }
            let isThere = holds(text, secret) || holds(text, Array(encoded.prefix(53)))
            for size in [Int(first % 16) + 1, 1, text.count + 1] {
                let out = scanned(text, size, needles)
                try promise(!holds(out.before, secret), "the secret comes out")
                try promise(out.isFound == isThere, "a secret is not found, or found where there is none")
                try promise(out.isFound || out.before == text, "what is no secret comes out otherwise")
                if out.isFound { try promise(text.starts(with: out.before), "other bytes come out than came") }
            }
        }
    }

    private static func scanned(
        _ text: [UInt8],
        _ size: Int,
        _ needles: NeedleSet
    ) -> (before: [UInt8], isFound: Bool) {
        var scanner = NeedleScanner(needles)
        var out: [UInt8] = []
        var rest = text[...]
        while !rest.isEmpty {
            guard let going = scanner.take(ByteBuffer(bytes: rest.prefix(size))) else { return (out, true) }
            out += Array(going.readableBytesView)
            rest = rest.dropFirst(size)
        }
        guard let last = scanner.end() else { return (out, true) }
        out += Array(last.readableBytesView)
        return (out, false)
    }

    private static func holds(_ text: [UInt8], _ part: [UInt8]) -> Bool {
        guard text.count >= part.count else { return false }
        return (0...text.count - part.count).contains { text[$0...].starts(with: part) }
    }

    private static func base64(_ bytes: [UInt8]) -> [UInt8] {
        let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
        let bits = bytes.flatMap { byte in (0..<8).map { Int(byte >> UInt8(7 - $0) & 1) } }
        return stride(from: 0, to: bits.count, by: 6).map { start in
            letters[(0..<6).reduce(0) { $0 << 1 | (start + $1 < bits.count ? bits[start + $1] : 0) }]
        }
    }
}
