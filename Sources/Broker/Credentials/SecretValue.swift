package import BrokerLink
package import NIOCore
import Synchronization

/// The value of a secret, for as long as somebody uses it; then it is wiped.
package final class SecretValue: Sendable {
    /// More is no credential, and no file of a login.
    package static let bytesMax = 64 << 10

    private let memory: SecretMemory
    private let known: Mutex<NeedleSet?> = Mutex(nil)

    /// - Parameter bytes: what services get to see, and nothing around it.
    package init(_ bytes: UnsafeRawBufferPointer) throws(SecretMemory.Failure) {
        memory = try SecretMemory(count: bytes.count) { $0.copyMemory(from: bytes) }
    }

    package var count: Int { memory.count }

    /// What no answer may hold; made when it is first asked for.
    package func needles() throws(SecretMemory.Failure) -> NeedleSet {
        try known.withLock { known throws(SecretMemory.Failure) in
            if let known { return known }
            let made = try memory.withBytes { bytes throws(SecretMemory.Failure) in try NeedleSet([bytes]) }
            known = made
            return made
        }
    }

    package func withBytes<Value>(_ body: (UnsafeRawBufferPointer) throws -> Value) rethrows -> Value {
        try memory.withBytes(body)
    }
}

/// Where values come from. Whoever answers late refreshes a login first.
package protocol CredentialValues: Sendable {
    /// The value that a request is to carry now.
    ///
    /// - Throws: through the future: `EgressRefusal` of the rule `credential-missing`, with what to do about it.
    func lease(_ secret: HeldSecret, on loop: any EventLoop) -> EventLoopFuture<SecretValue>

    /// The value as it is now, and the one before it where services may still send that back; none where there is
    /// none. Nothing is renewed for it.
    func known(_ secret: HeldSecret) -> [SecretValue]

    /// Hears that a service took a value.
    func accepted(_ value: SecretValue, of secret: HeldSecret)

    /// Hears that a service answered 401 to a value.
    ///
    /// - Returns: another value, with which the request may be sent once more; nil where there is none.
    func rejected(_ value: SecretValue, of secret: HeldSecret, on loop: any EventLoop) -> EventLoopFuture<SecretValue?>
}
