/// The hash that names a repository's objects.
package enum ObjectFormat: String, Sendable, CaseIterable {
    case sha1, sha256

    /// Bytes of a name.
    package var byteCount: Int { self == .sha1 ? 20 : 32 }
    package var hexCount: Int { byteCount * 2 }

    /// True for a name in lower-case hexadecimal digits, as git writes it.
    package func isHex(_ text: some Collection<UInt8>) -> Bool { text.count == hexCount && HexText.isLower(text) }
}
