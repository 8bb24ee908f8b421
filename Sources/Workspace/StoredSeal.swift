package import Domain

/// Says of a stored file that Bailey itself wrote it: a tag under a key that never lies where a command could reach it.
package struct StoredSeal: Sendable {
    private let tag: @Sendable ([UInt8]) -> Digest

    /// - Parameter tag: a message authentication code of the bytes under the user's key.
    package init(tag: @escaping @Sendable ([UInt8]) -> Digest) { self.tag = tag }

    /// The seal of one kind of file of one owner: a file of another kind or owner does not pass for it.
    func file(_ kind: String, of owner: String) -> FileSeal {
        let label = Array("bailey-stored-v1\0\(kind)\0\(owner)\0".utf8)
        return FileSeal { [tag] bytes in tag(label + ContentHash.of(bytes).bytes) }
    }
}

/// The seal of one stored file.
struct FileSeal {
    private let tag: (ArraySlice<UInt8>) -> Digest

    init(_ tag: @escaping (ArraySlice<UInt8>) -> Digest) { self.tag = tag }

    /// What stands at the end of the file.
    func tag(of bytes: ArraySlice<UInt8>) -> [UInt8] { tag(bytes).bytes }

    /// Compares without telling by its time where two tags differ.
    func isTag(_ claimed: ArraySlice<UInt8>, of bytes: ArraySlice<UInt8>) -> Bool {
        let wanted = tag(of: bytes)
        guard claimed.count == wanted.count else { return false }
        return zip(claimed, wanted).reduce(0) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
