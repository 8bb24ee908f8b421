import Crypto
import Domain

/// SHA-256 as this module uses it.
enum Hashing {
    static func sha256(_ bytes: [UInt8]) -> Domain.Digest { digest(SHA256.hash(data: bytes)) }

    /// The hash of a leaf as RFC 6962 wants it: a zero byte first, so that no leaf can pass for an inner node. The same
    /// value is the link of the chain.
    static func leaf(_ line: [UInt8]) -> Domain.Digest { leaf(line[...]) }

    static func leaf(_ line: ArraySlice<UInt8>) -> Domain.Digest {
        var hasher = SHA256()
        withUnsafeBytes(of: UInt8(0)) { hasher.update(bufferPointer: $0) }
        line.withUnsafeBytes { hasher.update(bufferPointer: $0) }
        return digest(hasher.finalize())
    }

    /// An inner node of the tree, with a one in front.
    static func node(_ left: Domain.Digest, _ right: Domain.Digest) -> Domain.Digest {
        var hasher = SHA256()
        withUnsafeBytes(of: UInt8(1)) { hasher.update(bufferPointer: $0) }
        left.bytes.withUnsafeBytes { hasher.update(bufferPointer: $0) }
        right.bytes.withUnsafeBytes { hasher.update(bufferPointer: $0) }
        return digest(hasher.finalize())
    }

    static func digest(_ code: HMAC<SHA256>.MAC) -> Domain.Digest {
        guard let digest = Domain.Digest(Array(code)) else { preconditionFailure("an HMAC-SHA-256 value has 32 bytes") }
        return digest
    }

    static func digest(_ hash: SHA256.Digest) -> Domain.Digest {
        guard let digest = Domain.Digest(hash.withUnsafeBytes { Array($0) }) else {
            preconditionFailure("a SHA-256 value has 32 bytes")
        }
        return digest
    }
}
