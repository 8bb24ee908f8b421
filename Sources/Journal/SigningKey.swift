import Crypto
import Domain
package import Files
import Glibc

/// The key that signs checkpoints: Ed25519, in the state directory and never in the project. It cannot be printed.
package struct SigningKey: Sendable {
    static let fileName = "signing.key"
    static let publicFileName = "signing.pub"

    private let key: Curve25519.Signing.PrivateKey
    package let verifyingKey: VerifyingKey

    /// Loads `signing.key`, or makes it on first use, and sees to it that `signing.pub` beside it fits.
    package init(stateDirectory directory: borrowing Directory) throws(JournalError) {
        let bytes = try KeyFile.loadOrMake(Self.fileName, in: directory, byteCount: 32) {
            Array(Curve25519.Signing.PrivateKey().rawRepresentation)
        }
        do {
            key = try Curve25519.Signing.PrivateKey(rawRepresentation: bytes)
        } catch {
            throw JournalError(.unsafeKey, "use the key \(Self.fileName): it is no Ed25519 key")
        }
        verifyingKey = VerifyingKey(key.publicKey)
        try verifyingKey.store(in: directory)
    }

    func sign(_ bytes: [UInt8]) throws(JournalError) -> [UInt8] {
        do {
            return Array(try key.signature(for: bytes))
        } catch {
            throw JournalError(.unsafeKey, "sign a checkpoint: the key \(Self.fileName) cannot sign")
        }
    }
}

/// The public half, for those who verify.
package struct VerifyingKey: Sendable {
    private let key: Curve25519.Signing.PublicKey

    init(_ key: Curve25519.Signing.PublicKey) { self.key = key }

    /// The 32 bytes of the key.
    package var bytes: [UInt8] { Array(key.rawRepresentation) }

    /// Parses a `signing.pub`: the PEM form that `openssl pkey -pubin` reads. Nil for anything else.
    package init?(pem: [UInt8]) {
        let lines = String(decoding: pem, as: UTF8.self).split(separator: "\n")
        guard lines.count == 3, lines[0] == Self.firstLine, lines[2] == Self.lastLine,
            let bytes = Base64.decode(lines[1]), bytes.count == Self.header.count + 32, bytes.starts(with: Self.header),
            let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes[Self.header.count...])
        else { return nil }
        self.init(key)
    }

    /// Loads `signing.pub`; nil if there is none.
    package static func load(stateDirectory directory: borrowing Directory) throws(JournalError) -> VerifyingKey? {
        do {
            let name = Array(SigningKey.publicFileName.utf8)
            guard let pem = try FileContent.readIfPresent(name, in: directory, bytesMax: 1 << 12) else { return nil }
            guard let key = VerifyingKey(pem: pem) else {
                throw JournalError(
                    .unsafeKey,
                    "use the key \(SigningKey.publicFileName): it is no Ed25519 public key",
                    hint: "Remove it; it is made again from \(SigningKey.fileName)."
                )
            }
            return key
        } catch let error as SystemError {
            throw JournalError("use the key \(SigningKey.publicFileName)", error)
        } catch let error as JournalError {
            throw error
        } catch {
            throw JournalError(.system, "use the key \(SigningKey.publicFileName): \(error)")
        }
    }

    fileprivate func store(in directory: borrowing Directory) throws(JournalError) {
        if try Self.load(stateDirectory: directory) == nil {
            do {
                try KeyFile.store(pem, as: SigningKey.publicFileName, in: directory)
            } catch {
                throw JournalError("write the key \(SigningKey.publicFileName)", error)
            }
        }
        guard let stored = try Self.load(stateDirectory: directory), stored.bytes == bytes else {
            throw JournalError(
                .unsafeKey,
                "use the key \(SigningKey.fileName): \(SigningKey.publicFileName) belongs to another key",
                hint: "Put the right pair back from a backup."
            )
        }
    }

    package var pem: [UInt8] {
        Array("\(Self.firstLine)\n\(Base64.encode(Self.header + bytes))\n\(Self.lastLine)\n".utf8)
    }

    func isValid(_ signature: some Sequence<UInt8>, for bytes: [UInt8]) -> Bool {
        key.isValidSignature(Array(signature), for: bytes)
    }

    private static let firstLine = "-----BEGIN PUBLIC KEY-----"
    private static let lastLine = "-----END PUBLIC KEY-----"
    /// The DER of a SubjectPublicKeyInfo for Ed25519 (RFC 8410) up to the key's bytes.
    private static let header: [UInt8] = [0x30, 0x2A, 0x30, 0x05, 0x06, 0x03, 0x2B, 0x65, 0x70, 0x03, 0x21, 0x00]
}

extension SigningKey: CustomStringConvertible, CustomReflectable {
    /// Says nothing of the key.
    package var description: String { "SigningKey" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
