import Domain
import Files
import Foundation
import TestSupport
import Testing

@testable import Journal

@Suite("keys in the state directory")
struct KeyTests {
    @Test("are made once, private, and the same afterwards")
    func firstUse() throws {
        let fixture = try Fixture()
        let state = try fixture.directory("state")
        let first = try SigningKey(stateDirectory: state)
        let second = try SigningKey(stateDirectory: state)
        #expect(first.verifyingKey.bytes == second.verifyingKey.bytes)
        #expect(try VerifyingKey.load(stateDirectory: state)?.bytes == first.verifyingKey.bytes)
        let digests = try (0..<2).map { _ in try HMACKey(stateDirectory: state).digest([1, 2, 3]) }
        #expect(digests[0] == digests[1])
        for name in ["signing.key", "signing.pub", "digest.key"] {
            #expect(try state.status(Array(name.utf8)).mode == 0o600)
        }
        #expect(try state.entries().count == 3)
    }

    @Test("all who make one at once end up with the same")
    func race() throws {
        for _ in 0..<5 {
            let fixture = try Fixture()
            let path = fixture.path("state")
            let keys = Monitor<Set<[UInt8]>>([])
            DispatchQueue.concurrentPerform(iterations: 8) { _ in
                #expect(throws: Never.self) {
                    let key = try SigningKey(stateDirectory: try Directory(trustedPath: path)).verifyingKey.bytes
                    keys.withLock { _ = $0.insert(key) }
                }
            }
            #expect(keys.withLock { $0.count } == 1)
            #expect(try fixture.directory("state").entries().count == 2)
        }
    }

    @Test(
        "are refused if others could have read or replaced them",
        arguments: ["mode", "owner", "size", "symlink", "directory", "fifo", "state", "pair", "pub"]
    )
    func refused(kind: String) throws {
        let fixture = try Fixture()
        let path = fixture.path("state/signing.key")
        _ = try SigningKey(stateDirectory: try fixture.directory("state"))
        switch kind {
        case "mode": #expect(chmod(path, 0o640) == 0)
        case "owner":
            guard geteuid() == 0 else { try Test.cancel("only root can give a file away") }
            #expect(chown(path, 4242, 4242) == 0)
        case "size": try fixture.write([UInt8](repeating: 1, count: 31), "state/signing.key")
        case "symlink":
            try FileManager.default.moveItem(atPath: path, toPath: path + ".real")
            #expect(symlink("signing.key.real", path) == 0)
        case "directory":
            unlink(path)
            #expect(mkdir(path, 0o700) == 0)
        case "fifo":
            unlink(path)
            #expect(mkfifo(path, 0o600) == 0)
        case "state": #expect(chmod(fixture.path("state"), 0o770) == 0)
        case "pair":
            unlink(path)
        default: try fixture.write(Array("no key".utf8), "state/signing.pub")
        }
        let code = journalErrorCode { try SigningKey(stateDirectory: try fixture.directory("state")) }
        #expect(code == .unsafeKey || code == .system)
    }

    @Test("never print")
    func printing() throws {
        let fixture = try Fixture()
        let state = try fixture.directory("state")
        let signing = try SigningKey(stateDirectory: state), digest = try HMACKey(stateDirectory: state)
        let secrets = try [fixture.bytes("state/signing.key"), fixture.bytes("state/digest.key")]
        var text = "\(signing) \(digest) \(String(reflecting: signing)) \(String(reflecting: digest))"
        dump(signing, to: &text)
        dump(digest, to: &text)
        for secret in secrets {
            #expect(
                !text.contains(Hex.encode(secret)) && !text.contains(Base64.encode(secret))
                    && !text.contains("\(secret)")
            )
        }
        #expect(text.contains("SigningKey") && text.contains("HMACKey"))
    }

    @Test("the public key has the form that openssl reads")
    func publicForm() throws {
        let fixture = try Fixture()
        let key = try SigningKey(stateDirectory: try fixture.directory("state")).verifyingKey
        #expect(VerifyingKey(pem: key.pem)?.bytes == key.bytes)
        #expect(VerifyingKey(pem: Array(key.pem.dropLast(30))) == nil)
    }
}
