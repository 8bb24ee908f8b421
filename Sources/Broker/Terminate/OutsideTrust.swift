import BrokerLink
import Egress
import NIOCore
import NIOSSL

/// How services outside are verified: always, by name, against the roots of the system or an upstream's own.
final class OutsideTrust {
    /// How long the end of a connection waits for the other side to say goodbye too; many never do.
    static let farewellTime = TimeAmount.seconds(1)

    private struct Key: Hashable {
        /// Set for an upstream with roots of its own.
        let name: HostName?
        let isHTTP1Only: Bool
    }

    private let settings: SettingsStore
    private var version = -1
    private var contexts: [Key: NIOSSLContext] = [:]

    init(_ settings: SettingsStore) { self.settings = settings }

    /// What a handshake with a service uses; kept as long as the settings are.
    func context(for name: HostName, isHTTP1Only: Bool) throws -> NIOSSLContext {
        if settings.version != version {
            contexts = [:]
            version = settings.version
        }
        let current = settings.current
        let own = current.upstreamRoots[name]
        let key = Key(name: own == nil ? nil : name, isHTTP1Only: isHTTP1Only)
        if let context = contexts[key] { return context }
        let roots = try NIOSSLCertificate.fromPEMBytes(Array((own ?? current.roots).utf8))
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.certificateVerification = .fullVerification
        configuration.trustRoots = .certificates(roots)
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols =
            isHTTP1Only
            ? [ApplicationProtocol.http1.rawValue] : ApplicationProtocol.allCases.map(\.rawValue)
        configuration.shutdownTimeout = Self.farewellTime
        let context = try NIOSSLContext(configuration: configuration)
        contexts[key] = context
        return context
    }
}
