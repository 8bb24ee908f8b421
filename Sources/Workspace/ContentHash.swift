import Crypto
package import Domain

/// SHA-256 as this package's digest.
package struct ContentHash {
    private var hash = SHA256()

    mutating func update(_ bytes: [UInt8]) { hash.update(data: bytes) }

    mutating func update(_ bytes: UnsafeRawBufferPointer) { hash.update(bufferPointer: bytes) }

    consuming func finalize() -> Domain.Digest {
        guard let digest = Domain.Digest(hash.finalize().withUnsafeBytes { Array($0) }) else {
            preconditionFailure("a SHA-256 value has 32 bytes")
        }
        return digest
    }

    package static func of(_ bytes: [UInt8]) -> Domain.Digest { of(bytes[...]) }

    static func of(_ bytes: ArraySlice<UInt8>) -> Domain.Digest {
        var hash = ContentHash()
        bytes.withUnsafeBytes { hash.update($0) }
        return hash.finalize()
    }
}
