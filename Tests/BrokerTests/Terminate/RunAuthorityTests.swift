import Broker
import Crypto
import Egress
import Foundation
import Synchronization
import TestSupport
import Testing

@Suite("the authority of a run vouches for the policy's names and for nothing else")
struct RunAuthorityTests {
    static let entries = ["api.example.com", "*.files.example.com", "GET https://data.example.org/public/"]

    private func authority(
        _ entries: [String] = entries,
        certificatesMax: Int = 4,
        key: P256.Signing.PrivateKey = P256.Signing.PrivateKey(),
        unixSeconds: @escaping @Sendable () -> Double = { Date().timeIntervalSince1970 }
    ) throws -> RunAuthority {
        let policy = NetworkPolicy(
            allow: try entries.map { try NetworkRule($0) },
            upstreams: [try Upstream(host: "model.example.test", port: 443, address: "127.0.0.1:8443", ca: nil)]
        )
        return try RunAuthority(
            policy: policy,
            certificatesMax: certificatesMax,
            authorityKey: key,
            unixSeconds: unixSeconds
        )
    }

    @Test(
        "names in the policy get a certificate that OpenSSL accepts for them",
        arguments: [
            "api.example.com", "a.files.example.com", "b.a.files.example.com", "data.example.org", "model.example.test",
        ]
    )
    func listedNames(_ name: String) throws {
        let place = try TemporaryDirectory()
        let authority = try authority()
        try place.write(authority.pem, to: "ca.pem")
        try place.write(authority.leaf(for: HostName(name)).pem, to: "leaf.pem")
        let arguments = ["verify", "-x509_strict", "-CAfile", place.path + "/ca.pem", "-purpose", "sslserver"]
        let good = try ProcessRunner.run(
            "/usr/bin/openssl",
            arguments: arguments + ["-verify_hostname", name, place.path + "/leaf.pem"]
        )
        #expect(good.status == 0, "\(good.summary)")
        let other = try ProcessRunner.run(
            "/usr/bin/openssl",
            arguments: arguments + ["-verify_hostname", "other.example.com", place.path + "/leaf.pem"]
        )
        #expect(other.status != 0)
    }

    @Test(arguments: ["example.com", "files.example.com", "x.api.example.com", "evil.com", "afiles.example.com"])
    func otherNamesGetNone(_ name: String) throws {
        let authority = try authority()
        #expect(throws: RunAuthority.Refusal.self) { try authority.leaf(for: HostName(name)) }
    }

    /// Somebody who had the key could still vouch for no other name: the certificate itself says so.
    @Test(
        "OpenSSL refuses a certificate for a name or address outside, whoever signed it",
        arguments: ["DNS:www.example.net", "DNS:example.com", "DNS:*.com", "IP:192.0.2.1", "IP:::1"]
    )
    func constraints(_ name: String) throws {
        let place = try TemporaryDirectory()
        let key = P256.Signing.PrivateKey()
        try place.write(authority(["api.example.com"], key: key).pem, to: "ca.pem")
        try place.write(key.pemRepresentation, to: "ca.key")
        let script = """
            cd '\(place.path)' || exit 9
            ec='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
            openssl req -new $ec -keyout k.pem -subj /CN=x -out r.pem || exit 9
            printf 'subjectAltName=%s\\nextendedKeyUsage=serverAuth\\n' '\(name)' > ext
            by='-CA ca.pem -CAkey ca.key -CAcreateserial'
            openssl x509 -req -in r.pem $by -days 1 -extfile ext -out leaf.pem || exit 9
            openssl verify -CAfile ca.pem -purpose sslserver leaf.pem
            """
        let result = try ProcessRunner.run("/bin/sh", arguments: ["-c", script])
        #expect(result.status == 2, "\(result.summary)")
        #expect((result.stdout + result.stderr).contains("subtree violation"), "\(result.summary)")
    }

    @Test func leavesAreKeptAndMadeAnewInTime() throws {
        let clock = ClockBox(1_800_000_000)
        let authority = try authority(certificatesMax: 2, unixSeconds: { clock.value })
        let first = try authority.leaf(for: HostName("api.example.com")).pem
        #expect(try authority.leaf(for: HostName("api.example.com")).pem == first)
        clock.value += 1.5 * 86_400
        let second = try authority.leaf(for: HostName("api.example.com")).pem
        #expect(second != first)
        // Two more names push it out.
        _ = try authority.leaf(for: HostName("a.files.example.com"))
        _ = try authority.leaf(for: HostName("b.files.example.com"))
        #expect(try authority.leaf(for: HostName("api.example.com")).pem != second)
    }

    @Test func aPolicyWithoutNamesVouchesForNone() throws {
        let policy = NetworkPolicy.everythingPublic
        let authority = try RunAuthority(policy: policy, certificatesMax: 2) { Date().timeIntervalSince1970 }
        #expect(!authority.covers(try HostName("example.com")))
    }
}

/// A time that a test sets.
final class ClockBox: Sendable {
    private let seconds: Mutex<Double>

    init(_ seconds: Double) { self.seconds = Mutex(seconds) }

    var value: Double {
        get { seconds.withLock { $0 } }
        set { seconds.withLock { $0 = newValue } }
    }
}
