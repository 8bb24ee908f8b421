package import Crypto
package import Egress
import FoundationEssentials
import NIOCore
package import NIOSSL
import SwiftASN1
import Synchronization
import X509

/// The certificate authority of one run: it vouches inside the sandbox for hosts whose requests must be seen.
///
/// Its key never leaves the memory of this process, and its certificate says for which names it may vouch, so that it
/// is worth nothing elsewhere.
package final class RunAuthority: Sendable {
    /// A certificate, ready for a handshake with a client of the sandbox.
    package struct Leaf: Sendable {
        package let context: NIOSSLContext
        package let pem: String
        let notAfter: Double
    }

    /// Why there is no certificate for a name.
    package struct Refusal: Error, Equatable {
        package let reason: String
    }

    /// A run that is still going after this cannot have requests seen any more; it goes on with what needs none.
    static let lifeSeconds = 30.0 * 86_400
    /// Clients refuse a certificate from the future, and clocks differ.
    static let backdatedSeconds = 86_400.0
    static let leafLifeSeconds = 2.0 * 86_400
    /// A leaf is made anew when it has less than this to go: a connection may live long.
    static let leafRenewSeconds = 86_400.0

    /// The authority's certificate, for the bundle of roots inside.
    package let pem: String

    private let names: [NetworkRule.Names]
    private let certificate: Certificate
    private let key: Certificate.PrivateKey
    private let leafKey: Certificate.PrivateKey
    private let handshakeKey: NIOSSLPrivateKey
    private let unixSeconds: @Sendable () -> Double
    private let leaves: Mutex<RecentlyUsed<HostName, Leaf>>

    /// - Parameters:
    ///   - policy: its names are the only ones that the authority will ever vouch for.
    ///   - certificatesMax: leaves kept at once.
    ///   - authorityKey: one of its own for each run.
    ///   - unixSeconds: the time.
    package init(
        policy: NetworkPolicy,
        certificatesMax: Int,
        authorityKey: P256.Signing.PrivateKey = P256.Signing.PrivateKey(),
        unixSeconds: @escaping @Sendable () -> Double
    ) throws {
        names = (policy.allow ?? []).map(\.names) + policy.upstreams.map { .exactly($0.name) }
        self.unixSeconds = unixSeconds
        key = Certificate.PrivateKey(authorityKey)
        leafKey = Certificate.PrivateKey(P256.Signing.PrivateKey())
        handshakeKey = try NIOSSLPrivateKey(bytes: Array(leafKey.serializeAsPEM().pemString.utf8), format: .pem)
        certificate = try Self.root(key, names, now: unixSeconds())
        pem = try certificate.serializeAsPEM().pemString
        leaves = Mutex(RecentlyUsed(countMax: certificatesMax))
    }

    /// True for names that the authority's certificate covers. A name that the policy got later is not among them.
    package func covers(_ name: HostName) -> Bool {
        names.contains { names in
            switch names {
            case .exactly(let exact): exact == name
            case .below(let domain): name.isBelow(domain)
            }
        }
    }

    /// A certificate for a host, kept for the next connection.
    package func leaf(for name: HostName) throws -> Leaf {
        let now = unixSeconds()
        if let leaf = leaves.withLock({ $0.value(for: name) }), leaf.notAfter - now > Self.leafRenewSeconds {
            return leaf
        }
        guard covers(name) else {
            throw Refusal(reason: "\(name) was not in the policy when the run began, so nothing vouches for it inside")
        }
        let leaf = try makeLeaf(name, now: now)
        leaves.withLock { $0.insert(leaf, for: name) }
        return leaf
    }

    private func makeLeaf(_ name: HostName, now: Double) throws -> Leaf {
        let notAfter = now + Self.leafLifeSeconds
        let leaf = try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: leafKey.publicKey,
            notValidBefore: Date(timeIntervalSince1970: now - Self.backdatedSeconds),
            notValidAfter: Date(timeIntervalSince1970: notAfter),
            issuer: certificate.subject,
            subject: DistinguishedName { CommonName("Bailey: a host of this run") },
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.notCertificateAuthority)
                Critical(KeyUsage(digitalSignature: true))
                try ExtendedKeyUsage([.serverAuth])
                SubjectAlternativeNames([.dnsName(name.text)])
                SubjectKeyIdentifier(hash: leafKey.publicKey)
                AuthorityKeyIdentifier(keyIdentifier: SubjectKeyIdentifier(hash: key.publicKey).keyIdentifier)
            },
            issuerPrivateKey: key
        )
        let text = try leaf.serializeAsPEM().pemString
        return Leaf(context: try handshake(text, for: name), pem: text, notAfter: notAfter)
    }

    /// What a handshake with a client uses. A server name that is another than the one it asked its way for is refused.
    private func handshake(_ text: String, for name: HostName) throws -> NIOSSLContext {
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: [.certificate(try NIOSSLCertificate(bytes: Array(text.utf8), format: .pem))],
            privateKey: .privateKey(handshakeKey)
        )
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ApplicationProtocol.allCases.map(\.rawValue)
        configuration.shutdownTimeout = OutsideTrust.farewellTime
        configuration.sslContextCallback = { values, promise in
            guard let asked = values.serverHostname, asked.lowercased() != name.text else {
                return promise.succeed(.noChanges)
            }
            promise.fail(ServerNameMismatch(asked: asked, wanted: name))
        }
        return try NIOSSLContext(configuration: configuration)
    }

    private static func root(
        _ key: Certificate.PrivateKey,
        _ names: [NetworkRule.Names],
        now: Double
    ) throws -> Certificate {
        let subject = try DistinguishedName { CommonName("Bailey: the authority of one run") }
        return try Certificate(
            version: .v3,
            serialNumber: Certificate.SerialNumber(),
            publicKey: key.publicKey,
            notValidBefore: Date(timeIntervalSince1970: now - backdatedSeconds),
            notValidAfter: Date(timeIntervalSince1970: now + lifeSeconds),
            issuer: subject,
            subject: subject,
            extensions: Certificate.Extensions {
                Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
                Critical(KeyUsage(keyCertSign: true, cRLSign: true))
                Critical(constraints(names))
                SubjectKeyIdentifier(hash: key.publicKey)
            },
            issuerPrivateKey: key
        )
    }

    /// The names, and no address at all. Where there are no names, one that nobody has: an empty list would mean every
    /// name.
    private static func constraints(_ names: [NetworkRule.Names]) -> NameConstraints {
        var permitted: Set<String> = []
        for name in names {
            switch name {
            case .exactly(let name): permitted.insert(name.text)
            case .below(let domain): permitted.insert("." + domain.text)
            }
        }
        let addresses = [4, 16].map { length in
            GeneralName.ipAddress(ASN1OctetString(contentBytes: ArraySlice(repeatElement(UInt8(0), count: 2 * length))))
        }
        let dns = permitted.isEmpty ? ["nothing.invalid"] : permitted.sorted()
        return NameConstraints(permittedSubtrees: dns.map { .dnsName($0) }, excludedSubtrees: addresses)
    }
}

/// A client asked its way for one host and then names another in its handshake.
struct ServerNameMismatch: Error, CustomStringConvertible {
    let asked: String
    let wanted: HostName

    var description: String {
        "the handshake names \(EgressRefusal.quoted(asked.utf8)) and the connection is for \(wanted)"
    }
}

/// What is spoken within TLS, best first.
enum ApplicationProtocol: String, CaseIterable {
    case http2 = "h2"
    case http1 = "http/1.1"
}
