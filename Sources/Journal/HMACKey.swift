import Crypto
package import Domain
package import Files

/// The key under which actions and environment values are digested, so that a journal's reader cannot guess short
/// values from their digests. It cannot be printed.
package struct HMACKey: Sendable {
    static let fileName = "digest.key"

    private let key: SymmetricKey

    /// Loads `digest.key` from the state directory, or makes it on first use.
    package init(stateDirectory directory: borrowing Directory) throws(JournalError) {
        let bytes = try KeyFile.loadOrMake(Self.fileName, in: directory, byteCount: 32) {
            SymmetricKey(size: .bits256).withUnsafeBytes { Array($0) }
        }
        key = SymmetricKey(data: bytes)
    }

    /// HMAC-SHA-256 of the bytes.
    package func digest(_ bytes: [UInt8]) -> Domain.Digest {
        Hashing.digest(HMAC<SHA256>.authenticationCode(for: bytes, using: key))
    }
}

extension HMACKey: CustomStringConvertible, CustomReflectable {
    /// Says nothing of the key.
    package var description: String { "HMACKey" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
