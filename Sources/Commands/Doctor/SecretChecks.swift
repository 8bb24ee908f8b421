import BrokerLink
import Domain
import Files
import Glibc
import Policy
import Redaction

/// What the caller's secrets lie in: files of the configuration, logins of agents, and the configuration itself.
struct SecretChecks {
    private static let configurationBytesMax = 1 << 20

    let caller: Caller

    func all() -> [Diagnosis] {
        let configuration = try? ConfigurationFiles.load(caller: caller, project: "/nonexistent")
        let files = (configuration?.secrets ?? []).compactMap { secret in
            if case .file(let path) = secret.source { (secret.name, path) } else { nil }
        }
        let logins = HeldSecret.Form.allCases.filter { $0 != .value }.map {
            LoginPlace.of($0, caller: caller, visible: [])
        }
        let operatorFile = ConfigurationFiles.operatorFile(caller)
        return plain(operatorFile) + plain("/etc/bailey/config.yml")
            + files.flatMap { file("the secret \($0.0)", $0.1, isWanted: true) }
            + logins.flatMap { file("the login \($0.name)", $0.path, isWanted: false) }
    }

    /// A configuration is read by many, backed up and shown to others; a secret in one is known.
    private func plain(_ path: String) -> [Diagnosis] {
        guard let bytes = try? FileContent.read(trustedPath: path, bytesMax: Self.configurationBytesMax),
            !Redactor(secrets: [[UInt8]]()).secretSpans(in: bytes).isEmpty
        else { return [] }
        return [
            .error(
                "configuration",
                "\(path) holds what looks like a secret",
                fix: "take it out, change it, and name a file or command under secrets: instead"
            )
        ]
    }

    /// - Parameter isWanted: whether it is a fault that there is none.
    private func file(_ what: String, _ path: String, isWanted: Bool) -> [Diagnosis] {
        var status = stat()
        guard stat(path, &status) == 0 else {
            return isWanted ? [.warning("secret file", "\(what): there is no \(path)", fix: "write it, mode 600")] : []
        }
        guard status.st_mode & 0o077 == 0 else {
            let mode = String(status.st_mode & 0o7777, radix: 8)
            return [.warning("secret file", "\(what): \(path) has mode \(mode)", fix: "chmod 600 \(path)")]
        }
        return [.ok("secret file", "\(what): \(path)")]
    }
}
