package import Foundation

/// The account that a system or attack test acts as.
///
/// Root tests the mapping of a privileged caller; the ordinary user is a throw-away id without an account entry,
/// because that is the harder case.
package enum TestIdentity: Sendable, Hashable {
    case root
    case ordinary(uid: UInt32)

    /// The identities that this process can take: both as root, else only its own.
    package static let available: [TestIdentity] =
        getuid() == 0 ? [.root, .ordinary(uid: UInt32.random(in: 20_000..<50_000))] : [.ordinary(uid: getuid())]

    package var uid: UInt32 {
        switch self {
        case .root: 0
        case .ordinary(let uid): uid
        }
    }

    package var name: String {
        switch self {
        case .root: "root"
        case .ordinary: "ordinary user"
        }
    }

    /// The words to put in front of a command so that it runs as this identity.
    package var prefix: [String] {
        guard uid != getuid() else { return [] }
        return ["/usr/bin/setpriv", "--reuid=\(uid)", "--regid=\(uid)", "--clear-groups", "--inh-caps=-all", "--"]
    }

    /// Runs a program as this identity.
    package func run(
        _ path: String,
        arguments: [String] = [],
        environment: [String: String],
        currentDirectory: String? = nil,
        standardInput: Data? = nil,
        timeoutSeconds: Double = 60
    ) throws -> ProcessResult {
        let words = prefix + [path] + arguments
        return try ProcessRunner.run(
            words[0],
            arguments: Array(words.dropFirst()),
            environment: environment,
            currentDirectory: currentDirectory,
            standardInput: standardInput,
            timeoutSeconds: timeoutSeconds
        )
    }

    /// Makes this process that of an ordinary user, for good: only for a child that a test made for it.
    package static func become(_ uid: UInt32) throws {
        guard geteuid() != uid else { return }
        guard setgroups(0, nil) == 0, setgid(uid) == 0, setuid(uid) == 0 else {
            throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EPERM)
        }
    }

    /// Gives a file or a whole tree to this identity; links are not followed.
    package func own(_ path: String) throws {
        guard uid != getuid() else { return }
        let below = FileManager.default.enumerator(atPath: path)?.compactMap { $0 as? String } ?? []
        for name in [path] + below.map({ path + "/" + $0 }) where lchown(name, uid, uid) != 0 {
            throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO)
        }
    }
}
