package import BrokerLink
import Egress
package import NIOCore
import Synchronization

/// The values that the supervisor handed over. A value that is replaced is wiped when the last request that carries it
/// is over.
package final class SecretStore: CredentialValues {
    private enum Entry {
        case value(SecretValue)
        /// It came and cannot be used.
        case unusable(String)
    }

    /// By placeholder, which no two secrets share.
    private let entries = Mutex<[String: Entry]>([:])

    package init() {}

    /// Takes a value over; one that cannot be used fails the requests that need it.
    package func put(_ bytes: UnsafeRawBufferPointer, for secret: HeldSecret) {
        let entry = Self.entry(bytes)
        entries.withLock { $0[secret.placeholder.text] = entry }
    }

    /// Forgets the values of all other secrets.
    package func keep(_ secrets: [HeldSecret]) {
        let kept = Set(secrets.map(\.placeholder.text))
        entries.withLock { $0 = $0.filter { kept.contains($0.key) } }
    }

    package func lease(_ secret: HeldSecret, on loop: any EventLoop) -> EventLoopFuture<SecretValue> {
        switch entries.withLock({ $0[secret.placeholder.text] }) {
        case .value(let value): return loop.makeSucceededFuture(value)
        case .unusable(let problem): return loop.makeFailedFuture(Self.missing(secret, problem))
        case nil: return loop.makeFailedFuture(Self.missing(secret, "it has no value"))
        }
    }

    package func known(_ secret: HeldSecret) -> [SecretValue] {
        guard case .value(let value)? = entries.withLock({ $0[secret.placeholder.text] }) else { return [] }
        return [value]
    }

    package func accepted(_ value: SecretValue, of secret: HeldSecret) {}

    package func rejected(
        _ value: SecretValue,
        of secret: HeldSecret,
        on loop: any EventLoop
    ) -> EventLoopFuture<SecretValue?> {
        loop.makeSucceededFuture(nil)
    }

    private static func missing(_ secret: HeldSecret, _ problem: String) -> EgressRefusal {
        EgressRefusal(
            CredentialRules.missing,
            "the secret \(secret.name) cannot be sent: \(problem)",
            remedy: "Give \(secret.name) a value where bailey is started: in the variable, file or command that it is "
                + "read from."
        )
    }

    private static func entry(_ bytes: UnsafeRawBufferPointer) -> Entry {
        if let flaw = KeyFlaw(of: bytes) { return .unusable("it \(flaw)") }
        do { return .value(try SecretValue(bytes)) } catch { return .unusable("\(error)") }
    }
}
