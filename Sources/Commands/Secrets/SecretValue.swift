import BrokerLink
import Egress
import Glibc

/// A value that waits for its broker: in sealed memory of the kernel, and nowhere in this process. What is known of it
/// here is what its placeholder is made of.
final class SecretValue {
    let memory: Int32
    let prefix: String
    let bytesCount: Int

    /// Wipes what it is made of.
    init(_ buffer: consuming SecretBuffer) throws(LinkError) {
        prefix = KeyPrefix.find(buffer.bytes)
        bytesCount = buffer.count
        memory = try buffer.sealed()
    }

    deinit { close(memory) }
}
