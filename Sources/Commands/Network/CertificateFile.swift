import Domain
import Egress
import Files
import Glibc

/// The root certificate of one upstream, as the operator names it.
enum CertificateFile {
    static let beginning = "-----BEGIN CERTIFICATE-----"
    private static let bytesMax = 1 << 20

    /// Reads it with the care that a file needs which says whom to trust.
    static func read(_ path: String, for upstream: Upstream, caller: Caller) throws(CommandError) -> String {
        let attempt = "read the root certificate \(Printable.text(path)) of the upstream \(upstream.name)"
        let raw = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard raw >= 0 else { throw CommandError(ExitStatus.failed, "\(attempt): \(String(cString: strerror(errno)))") }
        let file = Descriptor(owning: raw)
        var status = stat()
        guard fstat(file.raw, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw CommandError(ExitStatus.failed, "\(attempt): it is no regular file")
        }
        guard status.st_uid == 0 || status.st_uid == caller.userID, status.st_mode & 0o022 == 0 else {
            throw CommandError(
                ExitStatus.failed,
                "\(attempt): others can change it",
                hint: "chown it to yourself and run: chmod go-w \(Printable.text(path))"
            )
        }
        guard let bytes = try? FileContent.read(file, bytesMax: bytesMax),
            let text = String(validating: bytes, as: UTF8.self), text.contains(beginning)
        else {
            throw CommandError(
                ExitStatus.failed,
                "\(attempt): it holds no certificate in PEM form",
                hint: "openssl x509 -inform der -in FILE turns another form into it."
            )
        }
        guard !text.contains("PRIVATE KEY-----") else {
            throw CommandError(ExitStatus.failed, "\(attempt): it holds a private key", hint: "Name a file without it.")
        }
        return text
    }
}
