package import Domain
import Files

/// A signed word on how long the authority's journal is and what it holds: a signed note as C2SP describes it, which
/// other tools can verify.
package struct Checkpoint: Sendable, Equatable {
    static let fileName = Array("checkpoint".utf8)

    /// Whose journal: `bailey/` and the project.
    package let origin: String
    /// Lines that the root covers.
    package let size: UInt64
    /// The RFC 6962 root over the journal's leaves.
    package let root: Digest

    package init(project: ProjectID, tree: MerkleTree) {
        origin = "bailey/" + project.rawValue
        size = tree.size
        root = tree.root
    }

    /// The text that is signed.
    var body: String { "\(origin)\n\(size)\n\(Base64.encode(root.bytes))\n" }

    func signed(by key: SigningKey) throws(JournalError) -> [UInt8] {
        let signature = try key.sign(Array(body.utf8))
        let line = "\u{2014} \(origin) \(Base64.encode(Self.keyHash(origin, key.verifyingKey) + signature))\n"
        return Array((body + "\n" + line).utf8)
    }

    /// The hint in front of a signature that tells whose it may be: name, newline, algorithm 1 (Ed25519), key.
    private static func keyHash(_ name: String, _ key: VerifyingKey) -> [UInt8] {
        Array(Hashing.sha256(Array(name.utf8) + [0x0A, 0x01] + key.bytes).bytes.prefix(4))
    }

    /// Parses a note; its signature is checked if a key is given. One spelling is accepted, byte by byte.
    package init(_ note: [UInt8], key: VerifyingKey?) throws(CheckpointFault) {
        guard note.count <= JournalLimits.checkpointBytesMax else { throw CheckpointFault("is too long") }
        guard let text = String(validating: note, as: UTF8.self) else { throw CheckpointFault("is not valid UTF-8") }
        let lines = text.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map { String($0) }
        guard lines.count == 6, lines[3].isEmpty, lines[5].isEmpty else { throw CheckpointFault("is no signed note") }
        guard lines[0].hasPrefix("bailey/"), ProjectID(String(lines[0].dropFirst(7))) != nil else {
            throw CheckpointFault("names no project")
        }
        guard let size = UInt64(lines[1]), String(size) == lines[1],
            let root = Base64.decode(lines[2]).flatMap(Digest.init)
        else { throw CheckpointFault("has no size and root") }
        origin = lines[0]
        self.size = size
        self.root = root
        let parts = lines[4].unicodeScalars.split(separator: " ", omittingEmptySubsequences: false).map { String($0) }
        guard parts.count == 3, parts[0] == "\u{2014}", parts[1] == origin, let signature = Base64.decode(parts[2]),
            signature.count == 68
        else { throw CheckpointFault("has no Ed25519 signature of \(origin)") }
        guard let key else { return }
        guard signature.starts(with: Self.keyHash(origin, key)) else {
            throw CheckpointFault("was signed by another key")
        }
        guard key.isValid(signature[4...], for: Array(body.utf8)) else {
            throw CheckpointFault("has a wrong signature")
        }
    }

    /// Nil if there is no checkpoint.
    static func read(in bailey: borrowing Directory) throws(SystemError) -> [UInt8]? {
        let path = Array((JournalSubject.authority.directoryName + "/").utf8) + fileName
        return try FileContent.readIfPresent(path, in: bailey, bytesMax: JournalLimits.checkpointBytesMax)
    }
}

/// What is wrong with a checkpoint.
package struct CheckpointFault: Error, Equatable, CustomStringConvertible {
    package let reason: String

    init(_ reason: String) { self.reason = reason }

    package var description: String { reason }
}
