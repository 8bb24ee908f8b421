import Crypto

/// A hash of either format, fed piece by piece.
struct ObjectHasher {
    private var sha1 = Insecure.SHA1()
    private var sha256 = SHA256()
    private let format: ObjectFormat

    init(_ format: ObjectFormat) { self.format = format }

    mutating func update(_ bytes: UnsafeRawBufferPointer) {
        switch format {
        case .sha1: sha1.update(bufferPointer: bytes)
        case .sha256: sha256.update(bufferPointer: bytes)
        }
    }

    mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

    func finish() -> [UInt8] {
        switch format {
        case .sha1: Array(sha1.finalize())
        case .sha256: Array(sha256.finalize())
        }
    }
}
