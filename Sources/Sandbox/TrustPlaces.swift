import Files
import Glibc

/// Where programs look for root certificates without being told.
package enum TrustPlaces {
    /// Where distributions keep the roots that they trust, in one file.
    package static let bundles = [
        "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem",
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", "/etc/ssl/cert.pem",
    ]
    /// Those of ``bundles`` that no view shows from the host, so that a link is made there.
    static let linked = ["/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"]

    /// Stores that distributions make for all their JDKs.
    private static let javaStores = ["/etc/ssl/certs/java/cacerts", "/etc/pki/java/cacerts"]
    /// Directories that hold JDKs, each in one of its own.
    private static let javaHomes = ["/usr/lib/jvm", "/usr/lib64/jvm", "/usr/java", "/opt"]
    private static let javaNames = ["lib/security/cacerts", "jre/lib/security/cacerts"]
    /// A directory with more entries than this is not looked through.
    private static let entriesMax = 128
    /// Where a view shows the host's own files.
    private static let shown = ["/etc/", "/usr/", "/opt/"]

    /// Where the bundles of the host really lie, each once.
    static func bundleFiles() -> [String] { files(bundles) }

    /// Where the stores of the host's JDKs really lie, each once.
    static func javaFiles() -> [String] {
        let homes = javaHomes.flatMap(entries)
        return files(javaStores + homes.flatMap { home in javaNames.map { home + "/" + $0 } })
    }

    private static func entries(_ parent: String) -> [String] {
        guard let directory = try? Directory(trustedPath: parent),
            let entries = try? directory.entries(atMost: entriesMax)
        else { return [] }
        return entries.compactMap { String(validating: $0.name, as: UTF8.self) }.map { parent + "/" + $0 }
    }

    /// A look comes first: most of the places are not there, and to resolve a path takes the longest.
    private static func files(_ paths: [String]) -> [String] {
        let present = paths.filter { path in
            var status = stat()
            return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
        }
        let ends = present.compactMap(SystemPaths.resolved).filter { end in shown.contains { end.hasPrefix($0) } }
        return Set(ends).sorted()
    }
}
