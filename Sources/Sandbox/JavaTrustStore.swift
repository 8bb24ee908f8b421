import Crypto

/// Root certificates as a key store of Java's, in the form JKS: every JDK reads it, whatever its default is, while
/// PKCS12 without a password is read from version 18 on only.
///
/// The form, all numbers big-endian: magic, version, number of entries; for each trusted certificate the number 2, a
/// name, a time in milliseconds, the certificate's type and its bytes; SHA-1 of the password, of a fixed phrase and of
/// all that. The password is the one that every JDK's own store has: it keeps no secret, and some programs give it.
enum JavaTrustStore {
    private static let magic: UInt32 = 0xFEED_FEED
    private static let version: UInt32 = 2
    private static let trustedCertificate: UInt32 = 2
    private static let password = "changeit"
    private static let phrase = "Mighty Aphrodite"
    /// Any time will do, and the same one gives the same bytes.
    private static let milliseconds: UInt64 = 1_577_836_800_000

    /// - Parameter certificates: in DER form.
    static func encode(_ certificates: [[UInt8]]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(certificates.reduce(64) { $0 + $1.count + 64 })
        append(magic, to: &bytes)
        append(version, to: &bytes)
        append(UInt32(certificates.count), to: &bytes)
        for (index, certificate) in certificates.enumerated() {
            append(trustedCertificate, to: &bytes)
            append("root\(index)", to: &bytes)
            append(UInt32(truncatingIfNeeded: milliseconds >> 32), to: &bytes)
            append(UInt32(truncatingIfNeeded: milliseconds), to: &bytes)
            append("X.509", to: &bytes)
            append(UInt32(certificate.count), to: &bytes)
            bytes.append(contentsOf: certificate)
        }
        var digest = Insecure.SHA1()
        digest.update(
            data: password.utf16.flatMap { [UInt8(truncatingIfNeeded: $0 >> 8), UInt8(truncatingIfNeeded: $0)] }
        )
        digest.update(data: Array(phrase.utf8))
        digest.update(data: bytes)
        return bytes + digest.finalize()
    }

    private static func append(_ number: UInt32, to bytes: inout [UInt8]) {
        withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
    }

    /// Two bytes of length, then the text; ASCII alone, which is the same in Java's own UTF-8.
    private static func append(_ text: String, to bytes: inout [UInt8]) {
        let length = UInt16(text.utf8.count)
        bytes.append(UInt8(length >> 8))
        bytes.append(UInt8(truncatingIfNeeded: length))
        bytes.append(contentsOf: text.utf8)
    }
}
